"""How progress looks: a bar on a terminal, a line every 10 % or 30 s elsewhere."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gamelake.terminal import Terminal
from utils.progress import ProgressListener, ProgressSnapshot, SilentProgress

_MINUTE = 60.0
_LINE_EVERY_S = 30.0
_LINES = 10


class Pace:
    """Pages a second over the last minute, and what that says about the end."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: deque[tuple[float, int]] = deque()

    def eta_s(self, snapshot: ProgressSnapshot) -> float | None:
        """Return the seconds left, or None while the total or the pace is unknown."""
        now = self._now()
        if self._seen and snapshot.pages_done < self._seen[-1][1]:
            self._seen.clear()  # another phase counts from the start
        self._seen.append((now, snapshot.pages_done))
        while now - self._seen[0][0] > _MINUTE:
            self._seen.popleft()
        elapsed, pages = now - self._seen[0][0], snapshot.pages_done - self._seen[0][1]
        if snapshot.pages_total is None or not pages or elapsed <= 0:
            return None
        return max(0, snapshot.pages_total - snapshot.pages_done) * elapsed / pages


def share(snapshot: ProgressSnapshot) -> float | None:
    """Return how much is done, from 0 to 1; None while the total is unknown."""
    for done, total in (
        (snapshot.pages_done, snapshot.pages_total),
        (snapshot.windows_done, snapshot.windows_total),
    ):
        if total:
            return min(1.0, done / total)
    return None


def describe(snapshot: ProgressSnapshot, eta_s: float | None) -> str:
    """Return one line: phase, windows, pages, games, requests, quota left, retries, ETA."""
    of_pages = "" if snapshot.pages_total is None else f"/{snapshot.pages_total:,}"
    pieces = "tables" if snapshot.phase == "etl" else "windows"
    facts = (
        (snapshot.windows_total, f"{pieces} {snapshot.windows_done:,}/{snapshot.windows_total:,}"),
        (snapshot.pages_done, f"pages {snapshot.pages_done:,}{of_pages}"),
        (snapshot.games, f"{snapshot.games:,} games"),
        (snapshot.requests, f"{snapshot.requests:,} requests"),
        (snapshot.quota_left is not None, f"{snapshot.quota_left or 0:,} left this month"),
        (snapshot.retries, f"{snapshot.retries:,} retries"),
        (snapshot.pages_total, f"ETA {'unknown' if eta_s is None else duration(eta_s)}"),
        (snapshot.message, snapshot.message),
    )
    return f"{snapshot.phase}: " + ", ".join(text for known, text in facts if known)


def duration(seconds: float) -> str:
    """Return `0.4s`, `12s`, `3m12s` or `2h05m`."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        return f"{whole}s"
    return f"{minutes}m{rest:02d}s" if whole < 3600 else f"{minutes // 60}h{minutes % 60:02d}m"


class PlainProgress:
    """One line per 10 % or 30 s and at every new phase; nothing is redrawn."""

    def __init__(
        self, say: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._now = now
        self._pace = Pace(now)
        self._last = ("", 0.0, 0)

    def update(self, snapshot: ProgressSnapshot) -> None:
        """Print a line when it is time for one."""
        eta = self._pace.eta_s(snapshot)
        phase, at, done = self._last
        now, reached = self._now(), int((share(snapshot) or 0.0) * _LINES)
        if snapshot.phase != phase or now - at >= _LINE_EVERY_S or reached > done:
            self._last = (snapshot.phase, now, reached)
            self._say(describe(snapshot, eta))


@contextmanager
def shown(terminal: Terminal) -> Iterator[ProgressListener]:
    """Give a listener that shows progress as `terminal` allows."""
    if terminal.verbosity < 0:
        yield SilentProgress()
    elif not terminal.animated:
        yield PlainProgress(terminal.note)
    else:
        with _bar(terminal) as listener:
            yield listener


@contextmanager
def _bar(terminal: Terminal) -> Iterator[ProgressListener]:
    # Only a terminal pays for importing rich.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    console = Console(file=terminal.err, force_terminal=True, no_color=not terminal.color)
    columns = (BarColumn(bar_width=20), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=1)
        pace = Pace()

        class Bar:
            def update(self, snapshot: ProgressSnapshot) -> None:
                text = describe(snapshot, pace.eta_s(snapshot))
                progress.update(task, completed=share(snapshot) or 0.0, description=text)

        yield Bar()
