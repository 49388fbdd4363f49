"""The operational store: opening it, and one transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from storage.database.address import parse_address
from storage.database.engines import commit, engine_for
from storage.database.failures import plain_errors
from storage.database.migrate import migrate
from storage.database.repositories.audit import AuditRepository
from storage.database.repositories.bad_rows import BadRowRepository
from storage.database.repositories.budget import BudgetRepository
from storage.database.repositories.checks import CheckRepository
from storage.database.repositories.leases import Lease, LeaseRepository
from storage.database.repositories.ledger import LedgerRepository
from storage.database.repositories.runs import RunRepository
from storage.database.repositories.state import StateRepository
from storage.database.repositories.windows import WindowRepository
from utils.clock import Clock, SystemClock


class UnitOfWork:
    """The repositories over one open transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.runs = RunRepository(connection, clock)
        self.windows = WindowRepository(connection)
        self.bad_rows = BadRowRepository(connection)
        self.ledger = LedgerRepository(connection)
        self.budget = BudgetRepository(connection)
        self.leases = LeaseRepository(connection)
        self.state = StateRepository(connection)
        self.checks = CheckRepository(connection)
        self.audit = AuditRepository(connection)


class Database:
    """An open operational store. Safe to share between threads; not across a fork."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self.clock = clock

    @classmethod
    def open(cls, url: str, *, clock: Clock | None = None) -> Self:
        """Open `sqlite:///PATH` or a PostgreSQL URL and bring its schema up to date.

        Raises UsageError when a newer gamelake wrote it or `url` is none that we can open,
        ServiceDown when it cannot be reached or is no database.
        """
        engine = engine_for(parse_address(url))
        try:
            with plain_errors("open the operational store", engine.url):
                migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, clock or SystemClock())

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def unit_of_work(self, lease: Lease | None = None) -> Iterator[UnitOfWork]:
        """One write transaction: committed at the end of the block, rolled back on an error.

        With a lease, raises Locked before the block when that lease is no longer current.
        """
        with self._connection(reading=False) as connection:
            unit = UnitOfWork(connection, self.clock)
            if lease is not None:
                unit.leases.check(lease)  # it stays ours: to take it one has to write
            yield unit
            commit(connection)

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """One snapshot to read from. It waits for no writer; whatever is written is dropped."""
        with self._connection(reading=True) as connection:
            yield UnitOfWork(connection, self.clock)

    @contextmanager
    def _connection(self, *, reading: bool) -> Iterator[Connection]:
        with (
            plain_errors("use the operational store", self._engine.url),
            self._engine.connect() as connection,
        ):
            yield connection.execution_options(reading=reading)
