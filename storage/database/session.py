"""The operational store: opening it, and one transaction at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from storage.database.migrate import migrate
from storage.database.repositories.audit import AuditRepository
from storage.database.repositories.budget import BudgetRepository
from storage.database.repositories.checks import CheckRepository
from storage.database.repositories.leases import Lease, LeaseRepository
from storage.database.repositories.ledger import LedgerRepository
from storage.database.repositories.runs import RunRepository
from storage.database.repositories.state import StateRepository
from storage.database.repositories.windows import WindowRepository
from utils.clock import Clock, SystemClock
from utils.durable import make_folder
from utils.errors import GamelakeError, Locked, ServiceDown, UsageError
from utils.seams import operation

_BUSY_MS = 30_000
_DAMAGED = ("not a database", "malformed")  # SQLite's words
_PRAGMAS = (
    f"busy_timeout={_BUSY_MS}",  # first: switching to WAL may already have to wait
    "journal_mode=WAL",
    "synchronous=FULL",  # WAL's usual NORMAL may lose the last commits on power loss
    "foreign_keys=ON",
    "cache_size=-65536",  # KiB: the inner pages of a ledger of a million games stay in memory
)


class UnitOfWork:
    """The repositories over one open transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.runs = RunRepository(connection, clock)
        self.windows = WindowRepository(connection)
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
        try:
            engine = _engine(url)
        except (ArgumentError, ModuleNotFoundError) as error:  # neither shows the password
            raise _no_address(error) from error
        try:
            with _plain_errors("open the operational store", url):
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

        With a lease, raises Locked and stores nothing when that lease is no longer current.
        """
        with self._connection(reading=False) as connection:
            unit = UnitOfWork(connection, self.clock)
            yield unit
            if lease is not None:
                unit.leases.check(lease)
            with operation("db.commit"):
                connection.commit()

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """One snapshot to read from. It waits for no writer; whatever is written is dropped."""
        with self._connection(reading=True) as connection:
            yield UnitOfWork(connection, self.clock)

    @contextmanager
    def _connection(self, *, reading: bool) -> Iterator[Connection]:
        with (
            _plain_errors("use the operational store", str(self._engine.url)),
            self._engine.connect() as connection,
        ):
            yield connection.execution_options(reading=reading)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
    if parsed.database and parsed.database != ":memory:":
        make_folder(Path(parsed.database).absolute().parent)
    engine = create_engine(parsed)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, or DDL would commit on its own
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns to writing fails at once when another wrote meanwhile;
    # an immediate one waits for its turn.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def _plain_errors(doing: str, url: str) -> Iterator[None]:
    subject = make_url(url).render_as_string(hide_password=True)
    try:
        yield
    except OperationalError as error:
        raise _explain(error, doing, subject) from error
    except DatabaseError as error:
        if any(said in str(error.orig) for said in _DAMAGED):
            raise _damaged(error, doing, subject) from error
        raise GamelakeError(
            f"the operational store refused: {error.orig}", operation=doing, subject=subject
        ) from error


def _no_address(error: Exception) -> UsageError:
    return UsageError(
        f"DATABASE_URL cannot be used: {str(error).rstrip('.')}",
        operation="open the operational store",
        subject="DATABASE_URL",
        hint="leave it empty for a file in the lake",
    )


def _damaged(error: DatabaseError, doing: str, subject: str) -> ServiceDown:
    return ServiceDown(
        f"the operational store is damaged: {error.orig}",
        operation=doing,
        subject=subject,
        hint="restore it from a backup, or move it away: the next ingest rebuilds it from raw "
        "(docs/runbook.md)",
    )


def _explain(error: OperationalError, doing: str, subject: str) -> GamelakeError:
    cause = str(error.orig).partition("\n")[0]
    if "database is locked" in cause:
        return Locked(
            f"another process has been writing to it for {_BUSY_MS // 1000} s",
            operation=doing,
            subject=subject,
            hint="try again when it is done",
        )
    return ServiceDown(
        f"the operational store does not answer: {cause}",
        operation=doing,
        subject=subject,
        hint="check that its folder is writable and has space, or that its server is up",
    )
