"""How long to wait after failures, and what all workers together know of the source's health."""

import random
import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Full jitter: anything up to `base_s`, doubled for each further failure, at most `cap_s`.

    A run of 18 failures was recorded (contracts/rawg.md 1.7, about 20 s at its crawl's pace);
    the waits after 18 failures are 60 s on average.
    """

    base_s: float = 0.25
    cap_s: float = 8.0

    def wait_s(self, failures: int) -> float:
        """Return the wait after the `failures`-th consecutive failure (from 1), in seconds."""
        longest = min(self.cap_s, self.base_s * 2 ** min(failures - 1, 30))
        return random.uniform(0, longest)  # noqa: S311 - spreads load, hides nothing


class Health:
    """Counts over all workers. Consecutive failures of different requests mean an outage."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._successes = 0
        self._consecutive = 0

    @property
    def successes(self) -> int:
        """Requests that were answered well so far."""
        return self._successes

    def succeeded(self) -> None:
        """Note an answer."""
        with self._lock:
            self._successes += 1
            self._consecutive = 0

    def failed(self) -> int:
        """Note a failure; return how many in a row there are now."""
        with self._lock:
            self._consecutive += 1
            return self._consecutive
