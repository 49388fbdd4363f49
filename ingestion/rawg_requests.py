"""Requests to RAWG until they are answered: limits, retries, quota, outages.

A request is tried in rounds of RAWG_ATTEMPTS. After a failed round one question decides: is it
this request, or is it the source? It is this request when others are answered meanwhile; if nobody
else asked, the last request that was answered well is sent once more. A second round that fails
so is the end of the request. Else it is an outage, which all workers wait through, each wait longer
than the one before; five such rounds mean that the source is down.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from ingestion.http_exchange import Answer, Failure, HttpExchange
from ingestion.limiter import RequestLimiter
from ingestion.quota_guard import QuotaGuard
from ingestion.rawg_errors import down, unreachable
from ingestion.retry import Backoff, Health
from utils.clock import Clock
from utils.config import Settings
from utils.errors import SourceError
from utils.redact import Redactor

_T = TypeVar("_T")
_OUTAGE_ROUNDS = 5
_SHARED_FROM = 3  # failures in a row, over all workers, from which on all of them wait
_MAX_RETRY_AFTER_S = 600.0
_EXCERPT = 300


class FetchListener(Protocol):
    """Hears what the client does; called from worker threads."""

    def requested(self) -> None:
        """Tell that one request is about to be sent."""

    def retried(self, reason: str) -> None:
        """Tell that a request failed and will be sent again."""


class SilentFetch:
    """A listener that listens to nothing."""

    def requested(self) -> None:
        """Ignore it."""

    def retried(self, reason: str) -> None:
        """Ignore it."""


class RawgRequests:
    """Thread-safe: what it knows of limits, quota and health is shared by all workers."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        budget: Callable[[int], None],
        stop: threading.Event,
        listener: FetchListener,
        key_has_worked: bool,
    ) -> None:
        self._key = settings.rawg_api_key
        self._attempts = settings.rawg_attempts
        self._host = urlsplit(settings.rawg_base_url).netloc
        self._redact = Redactor([self._key.get_secret_value()])
        self._clock = clock
        self._budget = budget
        self._listener = listener
        self._limiter = RequestLimiter(
            max_rps=settings.rawg_max_rps, in_flight=settings.rawg_workers, clock=clock, stop=stop
        )
        self._quota = QuotaGuard(self._limiter, redact=self._redact, key_has_worked=key_has_worked)
        self._exchange = HttpExchange(
            settings.rawg_base_url, timeout_s=settings.rawg_timeout_s, clock=clock
        )
        self._backoff = Backoff()
        self._health = Health()
        self._probing = threading.Lock()
        self._last_good: tuple[str, Mapping[str, str], Callable[[Answer], object]] | None = None

    @property
    def key_has_worked(self) -> bool:
        """True once the key was accepted, here or (as told) in an earlier run."""
        return self._quota.key_has_worked

    def close(self) -> None:
        """Close every connection."""
        self._exchange.close()

    def get(
        self, path: str, params: Mapping[str, str], read: Callable[[Answer], _T]
    ) -> _T | Failure:
        """Send a request until `read` accepts the answer (200 or 404; else it raises ValueError).

        Returns a Failure when the source is up but this request stays broken. Raises QuotaSpent,
        SourceError (wrong key, unreachable, down) or Stopped.
        """
        strikes = outages = 0
        while True:
            seen = self._health.successes
            result = self._round(path, params, read)
            if not isinstance(result, Failure):
                return result
            if self._is_up(seen):
                strikes += 1
                if strikes == 2:
                    return result
            else:
                outages += 1
                self._check_outage(result, outages)

    def _round(
        self, path: str, params: Mapping[str, str], read: Callable[[Answer], _T]
    ) -> _T | Failure:
        result = self._try(path, params, read)
        for _ in range(self._attempts - 1):
            if not isinstance(result, Failure):
                break
            result = self._try(path, params, read)
        return result

    def _is_up(self, seen: int) -> bool:
        """Tell whether anything was answered since there were `seen` successes."""
        with self._probing:
            if self._last_good is None or self._health.successes > seen:
                return self._health.successes > seen
            return not isinstance(self._try(*self._last_good), Failure)

    def _check_outage(self, failure: Failure, rounds: int) -> None:
        """Raise SourceError when there is nothing left to wait for."""
        if self._last_good is None:
            # No connection at all, or pages of another site: waiting does not help.
            patience = 1 if failure.kind in ("connect", "body") else _OUTAGE_ROUNDS
            error: Callable[[str, str], SourceError] = unreachable
        else:
            patience, error = _OUTAGE_ROUNDS, down
        if rounds >= patience:
            raise error(self._host, failure.reason)

    def _try(
        self, path: str, params: Mapping[str, str], read: Callable[[Answer], _T]
    ) -> _T | Failure:
        answer = self._authorised(path, params)
        result = answer if isinstance(answer, Failure) else self._judge(answer, read)
        if isinstance(result, Failure):
            self._wait_after(result)
            return result
        self._health.succeeded()
        self._quota.key_has_worked = True
        self._last_good = (path, params, read)
        return result

    def _authorised(self, path: str, params: Mapping[str, str]) -> Answer | Failure:
        """Send the request until the answer is no 401."""
        while True:
            ticket = self._quota.enter()
            answer: Answer | Failure | None = self._send(path, params)
            if isinstance(answer, Answer) and answer.status == 401:
                answer = self._quota.settle(answer, ticket, lambda: self._send(path, params))
            if answer is not None:
                return answer

    def _send(self, path: str, params: Mapping[str, str]) -> Answer | Failure:
        with self._limiter.request():
            self._quota.check()
            self._budget(1)
            self._listener.requested()
            key = {"key": self._key.get_secret_value()} if self._key.get_secret_value() else {}
            return self._exchange.get(path, {**params, **key})

    def _judge(self, answer: Answer, read: Callable[[Answer], _T]) -> _T | Failure:
        if answer.status not in (200, 404):
            self._limiter.pause(self._retry_after_s(answer))
            return Failure("status", f"HTTP {answer.status}", self._excerpt(answer))
        try:
            return read(answer)
        except RecursionError:
            reason = "it is nested too deeply"
        except ValueError as error:
            reason = self._redact(str(error))
        # Where one answer was cut, its rest may still be on the wire.
        self._exchange.drop_connection()
        return Failure("body", f"the answer is no page: {reason}", self._excerpt(answer))

    def _excerpt(self, answer: Answer) -> str:
        return self._redact(answer.body[:_EXCERPT].decode("utf-8", "replace"))

    def _retry_after_s(self, answer: Answer) -> float:
        """Read Retry-After, in seconds or as a date; 0 without one, ten minutes at most."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isdecimal():
            return min(float(text), _MAX_RETRY_AFTER_S)
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - self._clock.now()).total_seconds()
        return min(max(seconds, 0.0), _MAX_RETRY_AFTER_S)

    def _wait_after(self, failure: Failure) -> None:
        self._listener.retried(failure.reason)
        failures = self._health.failed()
        wait_s = self._backoff.wait_s(failures)
        if failures >= _SHARED_FROM:
            self._limiter.pause(wait_s)
        self._limiter.wait(wait_s)
