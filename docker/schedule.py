"""Runs gamelake again and again: the `schedule` service of docker-compose.yml.

SCHEDULE          an interval (`30m`, `6h`, `1d`; the first run starts at once), or a cron line of
                  five fields in UTC: minute hour day month weekday, with `*`, `a-b`, `a,b`, `*/n`
SCHEDULE_COMMAND  what gamelake is given, `run --wait 600` by default
SCHEDULE_RETRY    how long after a failure that may pass (source, lock or service: exit 3, 6, 7,
                  8) it is tried again, when the next run is not due sooner

A failure never ends the loop: it is logged with its exit code. SIGTERM stops the command in the
orderly way that Ctrl-C does, and then the loop.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from threading import Event
from types import FrameType

HEARTBEAT = Path(gettempdir()) / "schedule.alive"  # read by health.py in the same container
HEARTBEAT_S = 10.0
MAY_PASS = frozenset({3, 6, 7, 8})
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))

Next = Callable[[datetime], datetime]


def parse_schedule(text: str) -> tuple[Next, bool]:
    """Return a function from a run's start to the next one's, and whether to start at once.

    Raises ValueError when `text` is neither an interval nor a cron line.
    """
    if len(text.split()) == len(_FIELDS):
        fields = [_field(part, *span) for part, span in zip(text.split(), _FIELDS, strict=True)]
        either = not (text.split()[2].startswith("*") or text.split()[4].startswith("*"))
        _next_match(datetime.now(UTC), fields, either=either)  # a 30 February is found out now
        return lambda after: _next_match(after, fields, either=either), False
    every = parse_interval(text)
    return lambda after: after + every, True


def parse_interval(text: str) -> timedelta:
    """Read `90s`, `30m`, `6h` or `1d`; raises ValueError on anything else and on nothing."""
    found = re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", text)
    if not found or not int(found[1]):
        raise ValueError(f"{text!r} is neither an interval such as 6h nor a cron line")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def _field(text: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if not found:
            raise ValueError(f"{part!r} is not part of a cron line")
        first, last, step = found[1], found[2], found[3]
        start = int(first) if first else low
        end = int(last) if last else (high if step or not first else start)
        if not (low <= start <= end <= high) or step == "0":
            raise ValueError(f"{part!r} is not within {low}-{high}")
        values.update(range(start, end + 1, int(step or 1)))
    return frozenset(values)


def _next_match(after: datetime, fields: Sequence[frozenset[int]], *, either: bool) -> datetime:
    """Return the first full minute after `after` that matches; cron's rule for the two days.

    `either`: both day fields are given, so a day that matches one of them is enough.
    """
    minutes, hours, days, months, weekdays = fields
    moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for _ in range(366 * 8 + 24 + 60):  # a leap day comes again within eight years
        by_date = moment.day in days
        by_weekday = bool({moment.isoweekday(), moment.isoweekday() % 7} & weekdays)
        day = by_date or by_weekday if either else by_date and by_weekday
        if moment.month not in months or not day:
            moment = (moment + timedelta(days=1)).replace(hour=0, minute=0)
        elif moment.hour not in hours:
            moment = (moment + timedelta(hours=1)).replace(minute=0)
        elif moment.minute not in minutes:
            moment += timedelta(minutes=1)
        else:
            return moment
    raise ValueError("this cron line never comes true")


class Schedule:
    """The loop: wait, run, log, again; until a signal."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._next, self._at_once = parse_schedule(environ.get("SCHEDULE") or "24h")
        self._retry = parse_interval(environ.get("SCHEDULE_RETRY") or "15m")
        words = shlex.split(environ.get("SCHEDULE_COMMAND") or "run --wait 600")
        self._argv = [sys.executable, "-m", "gamelake", *words]
        self._stop = Event()
        self._child: subprocess.Popen[bytes] | None = None

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: pass it on, and run nothing more."""
        del frame
        self._stop.set()
        if self._child is not None:
            self._child.send_signal(number)

    def run(self) -> None:
        """Run until stopped."""
        started = datetime.now(UTC)
        due = started if self._at_once else self._next(started)
        while self._wait_until(due):
            started = datetime.now(UTC)
            code = self._run_once()
            due = max(self._next(started), datetime.now(UTC))
            if code in MAY_PASS:
                due = min(due, datetime.now(UTC) + self._retry)
        log("stopped")

    def _wait_until(self, due: datetime) -> bool:
        """Wait on the wall clock, which may jump; return whether the time has come."""
        log(f"next run at {due:%Y-%m-%d %H:%M:%S} UTC")
        while not self._stop.is_set() and (left := (due - datetime.now(UTC)).total_seconds()) > 0:
            HEARTBEAT.touch()
            self._stop.wait(min(left, HEARTBEAT_S))
        return not self._stop.is_set()

    def _run_once(self) -> int:
        log(f"gamelake {shlex.join(self._argv[3:])}")
        self._child = subprocess.Popen(self._argv)  # noqa: S603 - the owner's own setting
        if self._stop.is_set():  # the signal came between the two lines above
            self._child.terminate()
        while True:
            HEARTBEAT.touch()
            try:
                code = self._child.wait(HEARTBEAT_S)
                break
            except subprocess.TimeoutExpired:
                continue
        self._child = None
        log(f"exit {code}" + ("" if code == 0 else ": see above, and docs/runbook.md"))
        return code


def log(text: str) -> None:
    """Write one line with the time; `docker compose logs schedule` shows it."""
    sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} schedule: {text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run until SIGTERM or SIGINT; exit 2 when a setting cannot be used."""
    try:
        schedule = Schedule(os.environ)
    except ValueError as error:
        log(f"SCHEDULE cannot be used: {error}")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, schedule.stop)
    schedule.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
