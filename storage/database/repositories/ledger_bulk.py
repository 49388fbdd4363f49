"""The ledger's bulk statements, as fast as each database takes them."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

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
    """One statement over JSON, however many rows.

    Run for every row, it gives the interpreter's lock away and waits for it again at every row.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lookup(self, source: str, entity: str, ids: Sequence[int]) -> Iterable[Values]:
        """See LedgerStatements."""
        values = (source, entity, json.dumps([*ids]))
        return (tuple(row) for row in self._connection.exec_driver_sql(_LOOKUP, values))

    def upsert(self, source: str, entity: str, rows: Sequence[Values]) -> None:
        """See LedgerStatements."""
        self._connection.exec_driver_sql(_UPSERT, (source, entity, json.dumps([*rows])))

    def touch(
        self, source: str, entity: str, ids: Sequence[int], *, seen_at: str, run_id: str
    ) -> None:
        """See LedgerStatements."""
        values = (seen_at, run_id, source, entity, json.dumps([*ids]))
        self._connection.exec_driver_sql(_TOUCH, values)


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
_NAMES = ", ".join(COLUMNS)
_ARRAYS = ", ".join(
    f"%({name})b::{'bigint' if name == 'natural_id' else 'text'}[]" for name in COLUMNS
)
_NEW = ", ".join(
    f"{name} = excluded.{name}" for name in COLUMNS if name not in ("natural_id", "first_seen")
)
_FIELDS = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(COLUMNS)))
_OF = "source = ? AND entity = ? AND natural_id IN (SELECT value FROM json_each(?))"
_LOOKUP = f"SELECT {_NAMES} FROM ledger WHERE {_OF}"
_TOUCH = f"UPDATE ledger SET last_seen = ?, run_id = ? WHERE {_OF}"
_CONFLICT = f"ON CONFLICT (source, entity, natural_id) DO UPDATE SET {_NEW}"
# Without a WHERE the parser takes ON for a join's.
_UPSERT = f"""
INSERT INTO ledger (source, entity, {_NAMES})
SELECT ?, ?, {_FIELDS} FROM json_each(?) WHERE true
    {_CONFLICT}
"""
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
    {_CONFLICT}
"""
_PG_TOUCH = f"UPDATE ledger SET last_seen = %(seen)s, run_id = %(run)s FROM {_PG_ASKED}"
