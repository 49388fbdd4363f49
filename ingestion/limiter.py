"""One gate for all workers: so many requests in flight, so many a second, and pauses for all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from utils.clock import Clock
from utils.errors import Stopped

# Waits are cut into slices, so that Ctrl-C ends a long one soon.
_SLICE_S = 0.2
# Closer to its time than a clock can tell, a request is due.
_DUE_S = 1e-6


class RequestLimiter:
    """Shared by all worker threads. `max_rps` 0 is unlimited; every wait can end in Stopped."""

    def __init__(
        self, *, max_rps: float, in_flight: int, clock: Clock, stop: threading.Event
    ) -> None:
        self._gap_s = 1 / max_rps if max_rps else 0.0
        self._slots = threading.BoundedSemaphore(in_flight)
        self._clock = clock
        self._stop = stop
        self._lock = threading.Lock()
        self._next_start = clock.monotonic()
        self._paused_until = clock.monotonic()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Hold one of the slots while a request is in flight; waits for its turn before."""
        while not self._slots.acquire(timeout=_SLICE_S):
            self.check_stop()
        try:
            self._await_turn()
            yield
        finally:
            self._slots.release()

    def pause(self, seconds: float) -> None:
        """Let nobody start a request for `seconds` from now; a longer pause stays."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def wait(self, seconds: float) -> None:
        """Let only the caller wait."""
        self.check_stop()
        while seconds > 0:
            self._clock.sleep(min(seconds, _SLICE_S))
            self.check_stop()
            seconds -= _SLICE_S

    def check_stop(self) -> None:
        """Raise Stopped when the run was told to stop."""
        if self._stop.is_set():
            raise Stopped(
                "stopped before the next request",
                operation="fetch",
                hint="run the same command again to continue",
            )

    def _await_turn(self) -> None:
        self.check_stop()
        while (left := self._reserve()) > 0:
            self.wait(left)

    def _reserve(self) -> float:
        """Take the next start if it is due, else return the seconds until it may be."""
        with self._lock:
            now = self._clock.monotonic()
            start = max(self._next_start, self._paused_until)
            if start - now > _DUE_S:
                return start - now
            self._next_start = now + self._gap_s
            return 0.0
