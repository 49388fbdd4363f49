"""The ledger: which version of every object was stored last. It answers new, changed, unchanged."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, func, select

from storage.database import models
from storage.database.repositories.ledger_bulk import ledger_statements

# Bound parameters a statement: SQLite's limit is 32,766.
_CHUNK = 10_000


class LedgerRow(NamedTuple):
    """The last stored version of one object; `run_id` saw it last. Times are ISO text, UTC."""

    natural_id: int
    updated: str | None
    payload_hash: str
    listing: str
    first_seen: str
    last_seen: str
    run_id: str


class LedgerRepository:
    """Bulk look-up and update by natural id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._bulk = ledger_statements(connection)

    def lookup(self, source: str, entity: str, ids: Sequence[int]) -> dict[int, LedgerRow]:
        """Return the known ones of `ids`."""
        found: dict[int, LedgerRow] = {}
        for start in range(0, len(ids), _CHUNK):
            for row in self._bulk.lookup(source, entity, ids[start : start + _CHUNK]):
                found[row[0]] = LedgerRow._make(row)
        return found

    def upsert(self, source: str, entity: str, rows: Sequence[LedgerRow]) -> None:
        """Add or replace rows; a known object keeps its `first_seen`. The last of equals wins."""
        # In the order of the table's own key: neighbours are written together.
        self._bulk.upsert(source, entity, sorted(rows, key=itemgetter(0)))

    def touch(
        self, source: str, entity: str, ids: Sequence[int], *, seen_at: str, run_id: str
    ) -> None:
        """Note that run `run_id` saw objects unchanged at `seen_at`; unknown ids are left out."""
        self._bulk.touch(source, entity, ids, seen_at=seen_at, run_id=run_id)

    def count(self, source: str, entity: str, *, after: str = "") -> int:
        """Return how many objects are known that were seen later than `after`."""
        own = select(func.count()).select_from(models.Ledger).where(*_of(source, entity))
        seen = own if after == "" else own.where(models.Ledger.last_seen > after)
        return self._connection.scalar(seen) or 0

    def newest_update(self, source: str, entity: str) -> str | None:
        """Return the newest `updated` of all that is stored, None when nothing is dated."""
        newest = select(func.max(models.Ledger.updated)).where(*_of(source, entity))
        return self._connection.scalar(newest)

    def ids(self, source: str, entity: str) -> Iterator[int]:
        """Yield every known natural id in order."""
        own = select(models.Ledger.natural_id).where(*_of(source, entity))
        yield from self._connection.scalars(own.order_by(models.Ledger.natural_id))

    def clear(self) -> None:
        """Forget everything, before it is rebuilt from raw in the same transaction."""
        self._connection.execute(delete(models.Ledger))


def _of(source: str, entity: str) -> tuple[ColumnElement[bool], ...]:
    return (models.Ledger.source == source, models.Ledger.entity == entity)
