"""The ledger's bulk statements, as fast as each database takes them."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, select, update

from storage.database import models
from storage.database.repositories.bulk import execute_rows
from storage.database.repositories.upsert import upsert_statement

COLUMNS = (
    "natural_id",
    "updated",
    "payload_hash",
    "listing",
    "first_seen",
    "last_seen",
    "run_id",
)
Values = tuple[Any, ...]  # of `COLUMNS`


class LedgerStatements(Protocol):
    """Each method is one look-up or change of many rows of one entity."""

    def lookup(self, source: str, entity: str, ids: Sequence[int]) -> Iterable[Values]:
        """Return the known ones of `ids`."""
        ...

    def upsert(self, source: str, entity: str, rows: Sequence[Values]) -> None:
        """Add or replace `rows`, sorted by id; `first_seen` of known ones stays."""
        ...

    def touch(
        self, source: str, entity: str, ids: Sequence[int], *, seen_at: str, run_id: str
    ) -> None:
        """Set `last_seen` and `run_id` of the known ones of `ids`."""
        ...


def ledger_statements(connection: Connection) -> LedgerStatements:
    """Return the statements for the connection's database."""
    if connection.dialect.name == "postgresql":
        return _Postgres(connection)
    return _Sqlite(connection)


class _Sqlite:
    """One prepared statement, run for every row: there is no way to a server to save."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lookup(self, source: str, entity: str, ids: Sequence[int]) -> Iterable[Values]:
        """See LedgerStatements."""
        values = {"source": source, "entity": entity, "ids": ids}
        return (tuple(row) for row in self._connection.execute(_LOOKUP, values))

    def upsert(self, source: str, entity: str, rows: Sequence[Values]) -> None:
        """See LedgerStatements."""
        statement = upsert_statement(self._connection, models.Ledger, keep=("first_seen",))
        values = [(source, entity, *row) for row in rows]
        execute_rows(self._connection, statement, ("source", "entity", *COLUMNS), values)

    def touch(
        self, source: str, entity: str, ids: Sequence[int], *, seen_at: str, run_id: str
    ) -> None:
        """See LedgerStatements."""
        values = [(seen_at, run_id, source, entity, natural_id) for natural_id in ids]
        execute_rows(self._connection, _TOUCH, ("seen", "run", "s", "e", "i"), values)


class _Postgres:
    """One statement over arrays in binary (`%(…)b`): a round trip, however many rows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lookup(self, source: str, entity: str, ids: Sequence[int]) -> Iterable[Values]:
        """See LedgerStatements."""
        values = {"source": source, "entity": entity, "ids": [*ids], "n": len(ids)}
        return (tuple(row) for row in self._connection.exec_driver_sql(_PG_LOOKUP, values))

    def upsert(self, source: str, entity: str, rows: Sequence[Values]) -> None:
        """See LedgerStatements."""
        columns = zip(*_last_of_equals(rows), strict=True)
        arrays = {name: [*column] for name, column in zip(COLUMNS, columns, strict=False)}
        if arrays:
            values = {"source": source, "entity": entity, **arrays}
            self._connection.exec_driver_sql(_PG_UPSERT, values)

    def touch(
        self, source: str, entity: str, ids: Sequence[int], *, seen_at: str, run_id: str
    ) -> None:
        """See LedgerStatements."""
        values = {"source": source, "entity": entity, "ids": [*ids], "n": len(ids)}
        values |= {"seen": seen_at, "run": run_id}
        self._connection.exec_driver_sql(_PG_TOUCH, values)


def _last_of_equals(rows: Sequence[Values]) -> Iterable[Values]:
    """Return one row an id, as rows written one by one would leave it.

    PostgreSQL refuses a statement that writes one row twice.
    """
    last: dict[int, Values] = {}
    for row in rows:
        known = last.get(row[0])
        last[row[0]] = row if known is None else (*row[:_FIRST], known[_FIRST], *row[_FIRST + 1 :])
    return last.values()


_FIRST = COLUMNS.index("first_seen")
_LOOKUP = select(*(getattr(models.Ledger, name) for name in COLUMNS)).where(
    models.Ledger.source == bindparam("source"),
    models.Ledger.entity == bindparam("entity"),
    models.Ledger.natural_id.in_(bindparam("ids", expanding=True)),
)
_TOUCH = (
    update(models.Ledger)
    .where(
        models.Ledger.source == bindparam("s"),
        models.Ledger.entity == bindparam("e"),
        models.Ledger.natural_id == bindparam("i"),
    )
    .values(last_seen=bindparam("seen"), run_id=bindparam("run"))
)
_NAMES = ", ".join(COLUMNS)
_ARRAYS = ", ".join(
    f"%({name})b::{'bigint' if name == 'natural_id' else 'text'}[]" for name in COLUMNS
)
_NEW = ", ".join(
    f"{name} = excluded.{name}" for name in COLUMNS if name not in ("natural_id", "first_seen")
)
# The whole key is joined. With constants for its first columns PostgreSQL, which knows nothing of
# a table that grew since it last counted, reads the whole entity instead: 100 rows a second.
_PG_ASKED = """
unnest(array_fill(%(source)s::text, ARRAY[%(n)s::int]),
       array_fill(%(entity)s::text, ARRAY[%(n)s::int]),
       %(ids)b::bigint[]) AS asked (source, entity, id)
 WHERE ledger.source = asked.source AND ledger.entity = asked.entity AND natural_id = asked.id
"""
_PG_LOOKUP = f"SELECT {_NAMES} FROM ledger, {_PG_ASKED}"
_PG_UPSERT = f"""
INSERT INTO ledger (source, entity, {_NAMES})
SELECT %(source)s, %(entity)s, new.* FROM unnest({_ARRAYS}) AS new
    ON CONFLICT (source, entity, natural_id) DO UPDATE SET {_NEW}
"""
_PG_TOUCH = f"UPDATE ledger SET last_seen = %(seen)s, run_id = %(run)s FROM {_PG_ASKED}"
