"""Requests are counted by month, never too low, and never beyond the quota."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion.meter import Budget, Meter
from storage.database.session import Database
from utils.clock import SystemClock
from utils.config import Settings
from utils.errors import QuotaSpent


class Calendar(SystemClock):
    """A clock that shows `moment`."""

    moment = datetime(2026, 11, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


def budget(database: Database, quota: int, clock: Calendar | None = None) -> Budget:
    settings = Settings(rawg_api_key="k", rawg_monthly_quota=quota)  # type: ignore[arg-type]
    return Budget(database, settings, clock or Calendar())


def spent(database: Database, own: Budget, month: str = "2026-11") -> int:
    with database.reading() as unit:
        return unit.budget.spent(own.fingerprint, month)


def test_what_was_not_sent_is_given_back(database: Database) -> None:
    own = budget(database, 0)
    for _ in range(70):
        own(1)
    assert spent(database, own) >= 70
    own.close()

    assert spent(database, own) == 70
    assert own.left() is None


def test_the_quota_is_used_to_the_last_request_and_no_further(database: Database) -> None:
    own = budget(database, 60)
    for left in range(59, -1, -1):
        own(1)
        assert own.left() == left
    with pytest.raises(QuotaSpent, match="60 of 60"):
        own(1)
    assert spent(database, own) == 60


def test_another_process_finds_what_is_left(database: Database) -> None:
    first = budget(database, 10)
    first(1)
    first.close()

    assert budget(database, 10).left() == 9


def test_a_new_month_begins_at_zero(database: Database) -> None:
    clock = Calendar()
    own = budget(database, 5, clock)
    for _ in range(5):
        own(1)
    clock.moment = datetime(2026, 12, 1, tzinfo=UTC)
    own(1)
    own.close()

    assert (spent(database, own), spent(database, own, "2026-12")) == (5, 1)


def test_the_meter_counts() -> None:
    meter = Meter()
    meter.requested()
    meter.retried("502")

    assert (meter.requests, meter.retries, meter.last_retry) == (1, 1, "502")
