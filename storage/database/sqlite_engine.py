"""The operational store as a file: one writer at a time, readers wait for no one."""

import sqlite3
import time
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event

from utils.durable import make_folder

BUSY_S = 30
_POLL_S = 0.01
_PRAGMAS = (
    f"busy_timeout={BUSY_S * 1000}",  # first: switching to WAL may already have to wait
    "journal_mode=WAL",
    "synchronous=FULL",  # WAL's usual NORMAL may lose the last commits on power loss
    "foreign_keys=ON",
    "cache_size=-65536",  # KiB: the inner pages of a ledger of a million games stay in memory
)


def sqlite_engine(url: URL) -> Engine:
    """Return an engine for the file `url` names; its folder is made."""
    if url.database and url.database != ":memory:":
        make_folder(Path(url.database).absolute().parent)
    engine = create_engine(url)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, or DDL would commit on its own
    for pragma in _PRAGMAS:
        _say(connection, f"PRAGMA {pragma}")


def _say(connection: sqlite3.Connection, statement: str) -> None:
    # Of several that switch a new file to WAL at once, SQLite tells some at once that it is
    # locked: to wait for each other might be for ever. Trying again is not.
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute(statement).close()
        except sqlite3.OperationalError as error:
            if "database is locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
        else:
            return


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns to writing fails at once when another wrote meanwhile;
    # an immediate one waits for its turn.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
