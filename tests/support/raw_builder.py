"""Raw tables and raw parts from literal rows: what tests of the ETL feed it.

A row is a dict of the fields it cares about; `at` is the microsecond (from EPOCH) of its page.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from storage.layout import BROWSE, GAMES, YEAR_COUNTS
from storage.raw_schema import RAW_GAMES, RAW_LOOKUP, RAW_YEAR_COUNTS

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
Row = Mapping[str, Any]


def moment(at: int) -> datetime:
    """Return the time `at` microseconds after EPOCH."""
    return EPOCH + timedelta(microseconds=at)


def game(game_id: int, *, at: int = 0, listing: str = BROWSE, **fields: Any) -> dict[str, Any]:
    """Return one raw game row; for its lists see `platform`, `store`, `tag` and `named`."""
    return {
        "id": game_id,
        "slug": f"game-{game_id}",
        "name": f"Game {game_id}",
        "tba": False,
        "rating": 0.0,
        "rating_top": 0,
        "updated": "2025-01-01T00:00:00",
        "_payload_hash": f"h{at}",
        "_fetched_at": moment(at),
        "_run_id": "run-1",
        "_listing": listing,
        "_window": "w",
        **fields,
    }


def lookup(lookup_id: int, name: str | None, *, at: int = 0, **fields: Any) -> dict[str, Any]:
    """Return one raw look-up row."""
    return {
        **named(lookup_id, name),
        "_payload_hash": f"l{at}",
        "_fetched_at": moment(at),
        "_run_id": "run-1",
        "_listing": BROWSE,
        "_window": "lookup",
        **fields,
    }


def year_counts(years: Mapping[int | None, int], *, at: int = 0) -> list[Row]:
    """Return the raw rows of one observation of the source's own counts; None: of no year."""
    lineage = {"_fetched_at": moment(at), "_run_id": "run-1", "_listing": BROWSE, "_window": "w"}
    return [{"release_year": y, "source_games": games, **lineage} for y, games in years.items()]


def named(named_id: int, name: str | None = None) -> dict[str, Any]:
    """Return `{id, name, slug}` with a name and a slug made from the id unless given."""
    text = f"n{named_id}" if name is None else name
    return {"id": named_id, "name": text, "slug": text.lower().replace(" ", "-")}


def platform(platform_id: int, released_at: str | None = None, name: str | None = None) -> Row:
    """Return one entry of a game's `platforms`."""
    return {"platform": named(platform_id, name), "released_at": released_at}


def store(store_id: int, domain: str | None = None, name: str | None = None) -> Row:
    """Return one entry of a game's `stores`."""
    return {"id": None, "store": {**named(store_id, name), "domain": domain}}


def tag(tag_id: int, language: str | None = "eng", name: str | None = None) -> Row:
    """Return one entry of a game's `tags`."""
    return {**named(tag_id, name), "language": language}


def raw_games(rows: Iterable[Row]) -> pa.Table:
    """Return the rows as a table of RAW_GAMES; fields left out are null."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=RAW_GAMES)


def raw_lookups(rows: Iterable[Row]) -> pa.Table:
    """Return the rows as a table of RAW_LOOKUP; fields left out are null."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=RAW_LOOKUP)


def raw_year_counts(rows: Iterable[Row]) -> pa.Table:
    """Return the rows as a table of RAW_YEAR_COUNTS."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=RAW_YEAR_COUNTS)


def raw_table(entity: str, rows: Iterable[Row]) -> pa.Table:
    """Return the rows of an entity as its raw table."""
    if entity == YEAR_COUNTS:
        return raw_year_counts(rows)
    return raw_games(rows) if entity == GAMES else raw_lookups(rows)
