"""Rebuilding the ledger from raw, for a lake whose operational store was lost."""

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from storage.database.repositories.ledger import LedgerRow
from storage.database.repositories.runs import LAST_RUN_ID
from storage.database.session import Database, UnitOfWork
from storage.layout import QUARANTINE
from storage.object_store import ObjectStore
from storage.raw_parts import list_parts
from utils.clock import iso

LAST_FETCHED_AT = "last_fetched_at"

_COLUMNS = ("id", "updated", "_payload_hash", "_listing", "_fetched_at", "_run_id")
_BATCH = 10_000


def rebuild_ledger(store: ObjectStore, database: Database) -> int:
    """Forget the ledger and read it again from raw, in one transaction; return its row count.

    Versions are taken in the order of `_fetched_at`, then of their place in raw. What raw does
    not hold stays unknown: when an unchanged object was last seen, and the watermark, so the
    next ingest reads everything again and stores nothing that is already there. The last fetch
    time and run id are restored too, so that new ones come after them.
    """
    with database.unit_of_work() as unit:
        unit.ledger.clear()
        for source, entity in sorted(_entities(store)):
            _rebuild_entity(store, unit, source, entity)
        _restore_order(store, unit)
        return sum(unit.ledger.count(*entity) for entity in _entities(store))


def _entities(store: ObjectStore) -> set[tuple[str, str]]:
    keys = (info.key.split("/") for info in store.list(""))
    return {(parts[0], parts[1]) for parts in keys if len(parts) == 4}


def _rebuild_entity(store: ObjectStore, unit: UnitOfWork, source: str, entity: str) -> None:
    if entity == QUARANTINE:
        return
    tables = [_versions(store, part.key) for part in list_parts(store, source, entity)]
    if not tables:
        return
    versions = pa.concat_tables(tables)
    order = pc.sort_indices(versions["_fetched_at"])  # stable: ties keep their place in raw
    for batch in versions.take(order).to_batches(max_chunksize=_BATCH):
        unit.ledger.upsert(source, entity, list(_rows(batch)))


def _versions(store: ObjectStore, key: str) -> pa.Table:
    table = store.read_table([key])
    if "updated" not in table.column_names:  # look-ups have none
        table = table.append_column("updated", pa.nulls(len(table), pa.string()))
    return table.select(_COLUMNS)


def _rows(batch: pa.RecordBatch) -> Iterator[LedgerRow]:
    columns = (batch.column(name).to_pylist() for name in _COLUMNS)
    for natural_id, updated, payload_hash, listing, fetched_at, run_id in zip(
        *columns, strict=True
    ):
        seen = iso(fetched_at)
        yield LedgerRow(natural_id, updated, payload_hash, listing, seen, seen, run_id)


def _restore_order(store: ObjectStore, unit: UnitOfWork) -> None:
    parts = [part for entity in _entities(store) for part in list_parts(store, *entity)]
    if not parts:
        return
    fetched = max(datetime.fromisoformat(part.manifest.last_fetched_at) for part in parts)
    last_run = max(part.manifest.run_id for part in parts)
    for key, value in ((LAST_FETCHED_AT, iso(fetched)), (LAST_RUN_ID, last_run)):
        unit.state.set(key, max(value, unit.state.get(key) or ""))
