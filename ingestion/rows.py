"""Source rows in, typed rows and raw tables out (columns: storage.raw_schema).

A row that cannot be typed becomes a `BadRow` with the reason; no payload raises. So for every
page `len(good) + len(bad)` is the number of rows that it held.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa


@dataclass(frozen=True)
class GameRow:
    """One valid game; `payload` is JSON of the declared fields, `extra` of all others."""

    natural_id: int
    updated: str
    payload_hash: str
    payload: bytes
    extra: str


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be typed; `natural_id` is its id as JSON text where it has one."""

    natural_id: str | None
    reason: str
    payload: str


@dataclass(frozen=True)
class Lineage:
    """Where a row came from; share one instance for all rows of a page."""

    fetched_at: datetime  # aware, UTC
    run_id: str
    listing: str
    window: str


def read_rows(results: bytes) -> tuple[list[GameRow], list[BadRow]]:
    """Read a JSON array of games (`Page.results`); row order is kept in both lists."""
    raise NotImplementedError


def games_table(rows: Sequence[GameRow], lineage: Sequence[Lineage]) -> pa.Table:
    """Build a table of schema RAW_GAMES, one lineage for each row."""
    raise NotImplementedError


def quarantine_table(entity: str, rows: Sequence[BadRow], lineage: Sequence[Lineage]) -> pa.Table:
    """Build a table of schema RAW_QUARANTINE; an unreadable page is a BadRow with its excerpt."""
    raise NotImplementedError
