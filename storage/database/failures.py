"""What a database says, as errors that a user can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from storage.database.address import shown
from storage.database.postgres_engine import LOCK_S, STATEMENT_S
from storage.database.sqlite_engine import BUSY_S
from utils.errors import Damaged, GamelakeError, Locked, ServiceDown, UsageError

_DAMAGED = ("not a database", "malformed")  # SQLite's words
_NOT_OURS = (OperationalError, InterfaceError, InternalError)
_NO_RIGHT, _LOCKED, _TOO_LONG, _STANDBY = "42501", "55P03", "57014", "25006"


@contextmanager
def plain_errors(doing: str, url: URL) -> Iterator[None]:
    """Raise what the database says as ServiceDown, Locked, UsageError or GamelakeError."""
    try:
        yield
    except PoolTimeoutError as error:
        raise _down(f"no connection was free for {LOCK_S} s", doing, url) from error
    except DBAPIError as error:
        if not isinstance(error, DatabaseError | InterfaceError):
            raise
        raise _explain(error, doing, url) from error


def first_line(error: DBAPIError) -> str:
    """Return the first line of what the driver said; it never holds the password."""
    return str(error.orig).partition("\n")[0]


def _explain(error: DBAPIError, doing: str, url: URL) -> GamelakeError:
    cause = first_line(error)
    state = getattr(error.orig, "sqlstate", None)
    if "database is locked" in cause or state == _LOCKED:
        return _locked(LOCK_S if state == _LOCKED else BUSY_S, doing, url)
    if state == _NO_RIGHT:
        return _no_right(cause, doing, url)
    if state == _TOO_LONG:
        return _down(f"it took longer than {STATEMENT_S} s over a statement", doing, url)
    if error.connection_invalidated or state == _STANDBY or isinstance(error, _NOT_OURS):
        return _down(cause, doing, url)
    if any(said in cause for said in _DAMAGED):
        return _damaged(cause, doing, url)
    return GamelakeError(
        f"the operational store refused: {cause}", operation=doing, subject=shown(url)
    )


def _down(cause: str, doing: str, url: URL) -> ServiceDown:
    file = url.get_backend_name() == "sqlite"
    return ServiceDown(
        f"the operational store does not answer: {cause}",
        operation=doing,
        subject=shown(url),
        hint="check that its folder is writable and has space"
        if file
        else "is PostgreSQL up (`make up`, `docker compose logs postgres`), and DATABASE_URL"
        " right? The same command continues",
    )


def _locked(waited_s: int, doing: str, url: URL) -> Locked:
    return Locked(
        f"another process has been writing to it for {waited_s} s",
        operation=doing,
        subject=shown(url),
        hint="try again when it is done",
    )


def _no_right(cause: str, doing: str, url: URL) -> UsageError:
    return UsageError(
        f"the operational store refused: {cause}",
        operation=doing,
        subject=shown(url),
        hint=f"let the role of DATABASE_URL own its database: ALTER DATABASE {url.database}"
        f" OWNER TO {url.username}",
    )


def _damaged(cause: str, doing: str, url: URL) -> Damaged:
    return Damaged(
        f"the operational store is damaged: {cause}",
        operation=doing,
        subject=shown(url),
        hint="restore it from a backup, or move it away: the next ingest rebuilds it from raw "
        "(docs/runbook.md)",
    )
