"""INSERT ... ON CONFLICT for the databases we run on."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.dialects import postgresql, sqlite

from storage.database.models import Base


def _insert(connection: Connection, model: type[Base]) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(model)
    return sqlite.insert(model)


def upsert(
    connection: Connection,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    add: Sequence[str] = (),
    unless: ColumnElement[bool] | None = None,
) -> None:
    """Insert `rows` (one dict of columns each); where the primary key exists, update.

    Columns in `add` grow by the new value, all others take it.
    A stored row of which `unless` is true is left alone.
    """
    if not rows:
        return
    statement = _insert(connection, model)
    keys = [column.name for column in model.__table__.primary_key]
    new = {
        name: (getattr(model, name) + value if name in add else value)
        for name, value in statement.excluded.items()
        if name not in keys
    }
    where = None if unless is None else ~unless
    updating = statement.on_conflict_do_update(index_elements=keys, set_=new, where=where)
    connection.execute(updating, rows)


def insert_missing(
    connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert the rows whose primary key is not there yet; leave the others alone."""
    if rows:
        statement = _insert(connection, model)
        connection.execute(statement.on_conflict_do_nothing(), rows)
