"""The operational store on a PostgreSQL server (13 or newer), with SQLite's promises.

One writer at a time: a write transaction first takes a lock that all writers share, and what it
reads after that is what the last one committed. So whatever holds on SQLite holds here, and bulk
writes cannot deadlock. Readers see one snapshot and wait for no one.
"""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from storage.database.column_types import postgres_json

CONNECT_S = 5
LOCK_S = 20
STATEMENT_S = 30  # more than a lock may take, less than our own patience
_SILENCE_S = 35
_ABANDONED_S = 300  # a transaction whose client says nothing; rebuilding from raw pauses for less
_SETTLE_S = 5.0
_POLL_S = 0.2
_TURN = 20_261_121  # any number that no other user of the database locks
_XID = "gamelake_xid"

_SERVER_SIDE = {
    "statement_timeout": STATEMENT_S * 1000,
    "lock_timeout": LOCK_S * 1000,
    "idle_in_transaction_session_timeout": _ABANDONED_S * 1000,
    # A machine that vanished while it held the turn is given up before others lose patience.
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 3,
    "tcp_keepalives_count": 3,
}
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": CONNECT_S,
    "application_name": "gamelake",
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER_SIDE.items()),
}
_Result = TypeVar("_Result")


class _Patient(psycopg.Connection[Any]):
    """A connection that gives up a server which accepts statements and never answers.

    The server's own timeouts end what is merely slow; this one ends what is frozen.
    """

    def wait(self, gen: PQGen[_Result], *args: Any, **kwargs: Any) -> _Result:
        """Run `gen` to its end; OperationalError, and a closed connection, after `_SILENCE_S`."""
        return super().wait(self._bounded(gen), *args, **kwargs)

    def _bounded(self, gen: PQGen[_Result]) -> Generator[Any, Any, _Result]:
        deadline = time.monotonic() + _SILENCE_S
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > deadline:
                    self.close()
                    raise psycopg.OperationalError(f"no answer for {_SILENCE_S} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: _Result = done.value
            return result


def postgres_engine(url: URL) -> Engine:
    """Return an engine for the server `url` names; options in the URL win over ours."""
    engine = create_engine(
        url,
        connect_args={name: _DEFAULTS[name] for name in _DEFAULTS.keys() - url.query.keys()},
        json_serializer=postgres_json,
        use_native_hstore=False,  # spares a look-up on the first connection
        pool_pre_ping=True,  # a server that was restarted between two transactions is no error
        pool_size=5,
        max_overflow=15,
        pool_timeout=LOCK_S,
        pool_use_lifo=True,
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "begin", _begin)
    return engine


def _connect(
    _dialect: Dialect, _record: object, args: tuple[Any, ...], options: dict[str, Any]
) -> _Patient:
    return _Patient.connect(*args, **options)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("reading", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return
    turn = f"SELECT pg_current_xact_id()::text FROM pg_advisory_xact_lock({_TURN})"
    connection.info[_XID] = connection.exec_driver_sql(turn).scalar_one()


def commit_known(connection: Connection) -> None:
    """Commit; when the answer is lost, ask the server what became of the transaction.

    Raises the error of the commit unless the server says that it committed: then nothing is
    stored, or, when the server stays away, it is not known. Both are safe to repeat.
    """
    xid = str(connection.info.get(_XID, ""))  # none when nothing was executed: nothing to lose
    try:
        connection.commit()
    except DBAPIError as error:
        if not error.connection_invalidated or not _committed(connection.engine, xid):
            raise


def _committed(engine: Engine, xid: str) -> bool:
    """Return whether transaction `xid` is known to be committed, waiting for a restart."""
    deadline = time.monotonic() + _SETTLE_S
    status = "in progress"
    while status == "in progress" and time.monotonic() < deadline:
        try:
            with engine.connect() as fresh:
                reader = fresh.execution_options(reading=True)
                asked = reader.exec_driver_sql("SELECT pg_xact_status(%s::xid8)", (xid,))
                status = asked.scalar_one()
        except DBAPIError:
            status = "in progress"
        if status == "in progress":
            time.sleep(_POLL_S)
    return status == "committed"
