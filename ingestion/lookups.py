"""Look-ups (platforms, parent platforms, stores, genres): rows, their hash, their raw table."""

from dataclasses import dataclass

import pyarrow as pa

from ingestion.rows import BadRow, Lineage


@dataclass(frozen=True)
class LookupRow:
    """One row; `payload` is JSON of the declared fields, `extra` of all others."""

    natural_id: int
    payload_hash: str
    payload: bytes
    extra: str


@dataclass(frozen=True)
class Lookup:
    """All rows of one look-up; `payload_hash` is of the whole, free of drifting fields."""

    entity: str
    rows: tuple[LookupRow, ...]
    bad: tuple[BadRow, ...]
    payload_hash: str


def read_lookup(entity: str, results: bytes) -> Lookup:
    """Read what `RawgClient.lookup` returned; a row that cannot be typed ends in `bad`."""
    raise NotImplementedError


def lookup_table(lookup: Lookup, lineage: Lineage) -> pa.Table:
    """Build a table of schema RAW_LOOKUP."""
    raise NotImplementedError
