"""From an address to an engine, and how its transactions end."""

from sqlalchemy import URL, Connection, Engine

from storage.database.postgres_engine import commit_known, postgres_engine
from storage.database.sqlite_engine import sqlite_engine
from utils.seams import operation


def engine_for(url: URL) -> Engine:
    """Return an engine that has not connected yet; `url` is from `parse_address`.

    Its connections write, unless their execution option `reading` is set.
    """
    return sqlite_engine(url) if url.get_backend_name() == "sqlite" else postgres_engine(url)


def commit(connection: Connection) -> None:
    """Make what was written durable; an error says that it is not, or that nobody knows."""
    with operation("db.commit"):
        if connection.dialect.name == "postgresql":
            commit_known(connection)
        else:
            connection.commit()
