"""Look-ups into raw: fetched by every run, stored only when they say something new."""

from dataclasses import dataclass

import pyarrow as pa

from ingestion.lookups import lookup_table, read_lookup
from ingestion.payload_hash import digest
from ingestion.rawg_fetcher import RawgClient
from ingestion.rows import Lineage, quarantine_table
from storage.layout import BROWSE, LOOKUPS, QUARANTINE, SOURCE_RAWG
from storage.object_store import ObjectStore
from storage.raw_parts import Manifest, PageRef, list_parts, next_part_number, write_part
from utils.clock import FetchClock, iso


@dataclass(frozen=True)
class StoredLookups:
    """Look-ups that changed, rows put into quarantine, and bytes written."""

    changed: tuple[str, ...]
    quarantined: int
    bytes: int


def store_lookups(
    client: RawgClient, store: ObjectStore, run_id: str, clock: FetchClock
) -> StoredLookups:
    """Fetch every look-up and store those whose rows differ from what raw holds.

    An empty look-up is not stored: it would say that nothing is left, which no source means.
    """
    changed, quarantined, size = [], 0, 0
    for entity in LOOKUPS:
        lookup = read_lookup(entity, client.lookup(entity))
        if not lookup.rows or lookup.payload_hash == _stored_hash(store, entity):
            continue
        lineage = Lineage(clock.stamp(), run_id, BROWSE, f"lookup:{entity}")
        size += _write(store, entity, lookup_table(lookup, lineage), lineage)
        if lookup.bad:
            bad = quarantine_table(entity, lookup.bad, [lineage] * len(lookup.bad))
            size += _write(store, QUARANTINE, bad, lineage)
        changed.append(entity)
        quarantined += len(lookup.bad)
    return StoredLookups(tuple(changed), quarantined, size)


def _stored_hash(store: ObjectStore, entity: str) -> str | None:
    parts = list_parts(store, SOURCE_RAWG, entity)
    if not parts:
        return None
    rows = store.read_table([parts[-1].key], columns=["_payload_hash"])
    return digest(rows["_payload_hash"].to_pylist())


def _write(store: ObjectStore, entity: str, table: pa.Table, lineage: Lineage) -> int:
    """Store a table as a part of its own; return its bytes."""
    rows = table.num_rows
    fetched_at = iso(lineage.fetched_at)
    manifest = Manifest(
        source=SOURCE_RAWG,
        entity=entity,
        run_id=lineage.run_id,
        number=next_part_number(store, SOURCE_RAWG, entity, lineage.run_id),
        listing=lineage.listing,
        rows=rows,
        new=0 if entity == QUARANTINE else rows,
        changed=0,
        enriched=0,
        unchanged=0,
        quarantined=rows if entity == QUARANTINE else 0,
        pages=(PageRef(lineage.window, 1, rows, rows),),
        spool_segment="",
        first_fetched_at=fetched_at,
        last_fetched_at=fetched_at,
        sha256="",
        bytes=0,
    )
    return write_part(store, table, manifest).manifest.bytes
