"""Counting requests: those of this process, and the month's budget in the store."""

import threading

from storage.database.repositories.budget import budget_fingerprint
from storage.database.session import Database
from utils.clock import Clock
from utils.config import Settings
from utils.errors import QuotaSpent

# Requests taken from the budget at a time: one commit for so many.
_BLOCK = 50
_BLOCK_UNLIMITED = 1000


class Meter:
    """Hears the client: requests sent and retried by this process. Thread-safe."""

    def __init__(self) -> None:
        self.requests = 0
        self.retries = 0
        self.last_retry = ""
        self._lock = threading.Lock()

    def requested(self) -> None:
        """Count one request."""
        with self._lock:
            self.requests += 1

    def retried(self, reason: str) -> None:
        """Count one retry."""
        with self._lock:
            self.retries += 1
            self.last_retry = reason


class Budget:
    """The requests that this month still allows, per base URL and key. Thread-safe.

    Requests are reserved in blocks; what a killed process had reserved and not sent counts as
    sent, so the count is never too low.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        key = settings.rawg_api_key.get_secret_value()
        self.fingerprint = budget_fingerprint(settings.rawg_base_url, key)
        self._database = database
        self._clock = clock
        self._quota = settings.rawg_monthly_quota
        self._lock = threading.Lock()
        self._month = ""
        self._reserved = 0
        self._spent = 0

    def __call__(self, requests: int) -> None:
        """Take `requests` off the budget; raises QuotaSpent when the month has none left."""
        with self._lock:
            if self._reserved < requests or self._month != self._this_month():
                self._reserve(requests)
            self._reserved -= requests

    def left(self) -> int | None:
        """Return the requests left this month, None when they are unlimited."""
        if not self._quota:
            return None
        with self._lock:
            if self._month != self._this_month():
                with self._database.reading() as unit:
                    spent = unit.budget.spent(self.fingerprint, self._this_month())
                return max(0, self._quota - spent)
            return max(0, self._quota - self._spent + self._reserved)

    def close(self) -> None:
        """Give back what was reserved and not sent."""
        with self._lock:
            self._give_back()

    def _reserve(self, requests: int) -> None:
        self._give_back()
        self._month = self._this_month()
        with self._database.unit_of_work() as unit:
            spent = unit.budget.spent(self.fingerprint, self._month)
            block = max(requests, _BLOCK if self._quota else _BLOCK_UNLIMITED)
            if self._quota:
                block = min(block, self._quota - spent)
            if block < requests:
                raise self._spent_error(spent)
            self._spent = unit.budget.spend(self.fingerprint, self._month, block)
        self._reserved = block

    def _give_back(self) -> None:
        if self._reserved:
            with self._database.unit_of_work() as unit:
                unit.budget.spend(self.fingerprint, self._month, -self._reserved)
            self._reserved = 0

    def _this_month(self) -> str:
        return f"{self._clock.now():%Y-%m}"

    def _spent_error(self, spent: int) -> QuotaSpent:
        return QuotaSpent(
            f"{spent} of {self._quota} requests of {self._month} are spent",
            operation="fetch",
            subject="RAWG_MONTHLY_QUOTA",
            hint="what was read is kept; the same command continues next month, or with a"
            " higher RAWG_MONTHLY_QUOTA if your plan allows it",
        )
