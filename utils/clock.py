"""Time as a value that is passed in, so that tests can own it."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

_TICK = timedelta(microseconds=1)


class Clock(Protocol):
    """What the time is, and how to wait."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back, from an arbitrary start."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds of the machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`; nothing for zero or less."""
        if seconds > 0:
            time.sleep(seconds)


class FetchClock:
    """Hands out strictly increasing times, whatever the wall clock does.

    The order of `_fetched_at` is the order of a game's versions in the whole lake, so no two
    pages may share a time and a clock that steps back may not hand out an old one.
    """

    def __init__(self, clock: Clock, last: datetime | None = None) -> None:
        self._clock = clock
        self._last = last
        self._lock = threading.Lock()

    def stamp(self) -> datetime:
        """Return max(now, last + 1 microsecond), aware, in UTC. Safe to call from any thread."""
        with self._lock:
            now = self._clock.now()
            if self._last is not None:
                now = max(now, self._last + _TICK)
            self._last = now
            return now


def iso(moment: datetime) -> str:
    """Return `2026-11-21T01:52:00.000000+00:00`: fixed width, so text order is time order.

    Raises ValueError for a naive datetime, whose zone could only be guessed.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def parse_iso(text: str) -> datetime:
    """Read what `iso` wrote; raises ValueError for text without a time zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)
