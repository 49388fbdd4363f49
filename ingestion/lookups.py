"""Look-ups (platforms, parent platforms, stores, genres): rows, their hash, their raw table."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingestion.rows import Lineage


@dataclass(frozen=True)
class Lookup:
    """All rows of one look-up; `payload_hash` is of the whole, free of drifting fields."""

    entity: str
    rows: tuple[dict[str, object], ...]
    payload_hash: str


def read_lookup(entity: str, rows: Sequence[dict[str, object]]) -> Lookup:
    """Type the rows of `RawgClient.lookup`; raises SourceError when one has no usable id."""
    raise NotImplementedError


def lookup_table(lookup: Lookup, lineage: Lineage) -> pa.Table:
    """Build a table of schema RAW_LOOKUP."""
    raise NotImplementedError
