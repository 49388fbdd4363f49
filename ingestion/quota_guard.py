"""What a 401 means: the month's quota or the key. RAWG answers both with the same status.

The quota is soft at its edge (contracts/rawg.md 1.7: 122 refusals mixed with 32 answers), so one
worker asks a few times more while the others hold still. Nobody asks after that.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingestion.http_exchange import Answer, Failure
from ingestion.limiter import RequestLimiter
from ingestion.rawg_errors import quota_spent, refused
from utils.errors import GamelakeError
from utils.redact import Redactor

# Requests that may follow the first refusal, and the wait before each of them.
_TRIES_AFTER_S = (0.5, 1.0, 2.0)
_SLICE_S = 0.2


class QuotaGuard:
    """Shared by all workers; remembers for good that the quota is spent or the key refused."""

    def __init__(self, limiter: RequestLimiter, *, redact: Redactor, key_has_worked: bool) -> None:
        self.key_has_worked = key_has_worked
        self._redact = redact
        self._limiter = limiter
        self._asking = threading.Lock()
        self._refuted = 0
        self._end: Callable[[], GamelakeError] | None = None

    def check(self) -> None:
        """Raise QuotaSpent or SourceError when no request has a chance any more."""
        if self._end is not None:
            raise self._end()

    def enter(self) -> int:
        """Wait while another worker asks whether the quota is spent; return a ticket."""
        with self._turn():
            return self._refuted

    def settle(
        self, answer: Answer, ticket: int, ask: Callable[[], Answer | Failure]
    ) -> Answer | Failure | None:
        """Find out what the 401 `answer` means; `ask` sends the request again.

        Returns what came instead of a 401, or None when another worker was answered meanwhile:
        then the request is worth sending again. Raises QuotaSpent or SourceError.
        """
        said = self._redact(_said(answer))
        if not self.key_has_worked and "limit" not in said.lower():
            self._end = lambda: refused(said)
            self.check()
        with self._turn():
            return self._ask(said, ask) if ticket == self._refuted else None

    def _ask(self, said: str, ask: Callable[[], Answer | Failure]) -> Answer | Failure:
        for wait_s in _TRIES_AFTER_S:
            self._limiter.wait(wait_s)
            answer = ask()
            if isinstance(answer, Failure) or answer.status != 401:
                self._refuted += 1
                return answer
        self._end = lambda: quota_spent(said)
        raise self._end()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        while not self._asking.acquire(timeout=_SLICE_S):
            self._limiter.check_stop()
        try:
            self.check()
            yield
        finally:
            self._asking.release()


def _said(answer: Answer) -> str:
    """Return the text of `{"error": text}`, or the first line of anything else."""
    text = answer.body[:200].decode("utf-8", "replace").strip()
    try:
        said = json.loads(text)["error"]
    except (ValueError, TypeError, KeyError):
        said = text.partition("\n")[0]
    return str(said)
