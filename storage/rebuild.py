"""Rebuilding the ledger from raw, for a lake whose operational store was lost."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from storage.database.repositories.leases import Lease
from storage.database.repositories.ledger import LedgerRow
from storage.database.repositories.runs import LAST_RUN_ID, is_run_id
from storage.database.session import Database, UnitOfWork
from storage.layout import LOOKUPS, QUARANTINE, YEAR_COUNTS
from storage.object_store import ObjectStore
from storage.raw_parts import Manifest, RawPart, list_parts
from utils.clock import iso, parse_iso

LAST_FETCHED_AT = "last_fetched_at"

_COLUMNS = ("id", "updated", "_payload_hash", "_listing", "_fetched_at", "_run_id")
_BATCH = 10_000


def restore_lost_ledger(store: ObjectStore, database: Database, lease: Lease) -> int:
    """Rebuild the ledger if the store knows no ingest run; return how many rows it has then.

    Without it, the first ingest after the loss would store every object again. Zero: not lost.
    """
    with database.reading() as unit:
        lost = not unit.runs.list(1, kind="ingest") and bool(_entities(store))
    return rebuild_ledger(store, database, lease) if lost else 0


def rebuild_ledger(store: ObjectStore, database: Database, lease: Lease | None = None) -> int:
    """Forget the ledger and read it again from raw, in one transaction; return its row count.

    Versions are taken in the order of `_fetched_at`, then of their place in raw. What raw does
    not hold stays unknown: when an unchanged object was last seen, and the watermark, so the
    next ingest reads everything again and stores nothing that is already there. The last fetch
    time and run id are restored too, so that new ones come after them.
    """
    parts = {entity: list_parts(store, *entity) for entity in sorted(_entities(store))}
    with database.unit_of_work(lease) as unit:
        unit.ledger.clear()
        for (source, entity), own in parts.items():
            if own and entity not in (QUARANTINE, YEAR_COUNTS):  # rows without an id
                _rebuild_entity(unit, source, entity, versions=_versions(store, entity, own))
        _restore_order(unit, [part.manifest for own in parts.values() for part in own])
        return sum(unit.ledger.count(*entity) for entity in parts)


def _entities(store: ObjectStore) -> set[tuple[str, str]]:
    keys = (info.key.split("/") for info in store.list(""))
    return {(parts[0], parts[1]) for parts in keys if len(parts) == 4}


def _versions(store: ObjectStore, entity: str, parts: Sequence[RawPart]) -> pa.Table:
    """Return every stored version, oldest first, as a table of `_COLUMNS`."""
    absent = {"updated"} if entity in LOOKUPS else set()
    wanted = [name for name in _COLUMNS if name not in absent]
    table = store.read_table([part.key for part in parts], wanted)
    for name in absent:
        table = table.append_column(name, pa.nulls(len(table), pa.string()))
    # A stable sort: versions fetched at one time keep their place in raw.
    return table.select(_COLUMNS).take(pc.sort_indices(table["_fetched_at"]))


def _rebuild_entity(unit: UnitOfWork, source: str, entity: str, *, versions: pa.Table) -> None:
    for batch in versions.to_batches(max_chunksize=_BATCH):
        unit.ledger.upsert(source, entity, list(_rows(batch)))


def _rows(batch: pa.RecordBatch) -> Iterator[LedgerRow]:
    columns = (batch.column(name).to_pylist() for name in _COLUMNS)
    for natural_id, updated, payload_hash, listing, fetched_at, run_id in zip(
        *columns, strict=True
    ):
        seen = iso(fetched_at)
        yield LedgerRow(natural_id, updated, payload_hash, listing, seen, seen, run_id)


def _restore_order(unit: UnitOfWork, manifests: Sequence[Manifest]) -> None:
    fetched = (iso(parse_iso(manifest.last_fetched_at)) for manifest in manifests)
    run_ids = (manifest.run_id for manifest in manifests if is_run_id(manifest.run_id))
    for key, values in ((LAST_FETCHED_AT, fetched), (LAST_RUN_ID, run_ids)):
        if last := max([unit.state.get(key) or "", *values]):
            unit.state.set(key, last)
