"""Look-ups into raw: fetched by every run, stored only when they say something new."""

from dataclasses import dataclass

import pyarrow as pa

from ingestion.lookups import Lookup, lookup_table, read_lookup
from ingestion.payload_hash import digest
from ingestion.rawg_fetcher import RawgClient
from ingestion.rows import Lineage, quarantine_table
from storage.layout import BROWSE, LOOKUPS, QUARANTINE, SOURCE_RAWG
from storage.object_store import ObjectStore
from storage.raw_parts import Manifest, PageRef, list_parts, next_part_number, write_part
from utils.clock import FetchClock, iso


@dataclass(frozen=True)
class StoredLookups:
    """Look-ups that changed, bad rows that the source has in all of them, and bytes written."""

    changed: tuple[str, ...]
    bad: int
    bytes: int


def store_lookups(
    client: RawgClient, store: ObjectStore, run_id: str, clock: FetchClock
) -> StoredLookups:
    """Fetch every look-up and store those whose rows, good or bad, differ from what raw holds.

    An empty look-up is not stored: it would say that nothing is left, which no source means.
    """
    changed, bad, size = [], 0, 0
    for entity in LOOKUPS:
        lookup = read_lookup(entity, client.lookup(entity))
        lineage = Lineage(clock.stamp(), run_id, BROWSE, f"lookup:{entity}")
        size += _store_bad(store, lookup, lineage)
        bad += len(lookup.bad)
        if lookup.rows and lookup.payload_hash != _stored_hash(store, entity):
            size += write_whole(store, entity, lookup_table(lookup, lineage), lineage)
            changed.append(entity)
    return StoredLookups(tuple(changed), bad, size)


def _store_bad(store: ObjectStore, lookup: Lookup, lineage: Lineage) -> int:
    """Put bad rows into quarantine, unless they are those put there last; return the bytes."""
    payloads = sorted(row.payload for row in lookup.bad)
    if not payloads or payloads == _stored_bad(store, lineage.window):
        return 0
    table = quarantine_table(lookup.entity, lookup.bad, [lineage] * len(payloads))
    return write_whole(store, QUARANTINE, table, lineage)


def _stored_bad(store: ObjectStore, window: str) -> list[str]:
    parts = list_parts(store, SOURCE_RAWG, QUARANTINE)
    own = [part.key for part in parts if window in {page.window for page in part.manifest.pages}]
    return sorted(store.read_table(own[-1:], ["payload"])["payload"].to_pylist()) if own else []


def _stored_hash(store: ObjectStore, entity: str) -> str | None:
    parts = list_parts(store, SOURCE_RAWG, entity)
    if not parts:
        return None
    rows = store.read_table([parts[-1].key], columns=["_payload_hash"])
    return digest(rows["_payload_hash"].to_pylist())


def write_whole(store: ObjectStore, entity: str, table: pa.Table, lineage: Lineage) -> int:
    """Store a small entity, all of one answer, as a part of its own; return its bytes."""
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
