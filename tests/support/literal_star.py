"""A star from literal rows: small parquet files behind a pinned catalog, without a catalog.

Rows name only the columns that matter; the rest gets a harmless default (0, False, a day).
"""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from etl.iceberg_catalog import DataFileInfo
from etl.iceberg_record import PublishRecord
from etl.iceberg_schemas import TABLES, StarTable
from serving.engine import QueryEngine

Row = dict[str, object]
KEY = 10**10
NOW = dt.datetime(2025, 7, 21, 12, 0)  # noqa: DTZ001 - the star's timestamps are UTC, no zone
_DEFAULTS: dict[pa.DataType, object] = {
    pa.int64(): 0,
    pa.int32(): 0,
    pa.float64(): 0.0,
    pa.string(): "",
    pa.bool_(): False,
    pa.timestamp("us"): NOW,
}


@dataclass(frozen=True)
class LiteralTable:
    name: str
    schema: pa.Schema
    data_files: tuple[DataFileInfo, ...]
    metadata_location: str = "literal"
    snapshot_id: int = 1
    properties: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.data_files)

    def files(self) -> dict[str, int | None]:
        return {file.path: file.bytes for file in self.data_files}


@dataclass(frozen=True)
class LiteralPin:
    tables: dict[str, LiteralTable]
    head: str = "literal"
    record: PublishRecord | None = None


def pin(folder: Path, **rows: list[Row]) -> LiteralPin:
    """Write the given tables to `folder`; every other table of the star is empty."""
    unknown = rows.keys() - TABLES.keys()
    assert not unknown, unknown
    return LiteralPin({n: _table(folder, t, rows.get(n, [])) for n, t in TABLES.items()})


def _table(folder: Path, table: StarTable, rows: list[Row]) -> LiteralTable:
    schema = table.arrow()
    if not rows:
        return LiteralTable(table.name, schema, ())
    path = folder / f"{table.name}.parquet"
    pq.write_table(pa.Table.from_pylist([_full(table, row) for row in rows], schema=schema), path)
    size = path.stat().st_size
    return LiteralTable(table.name, schema, (DataFileInfo(str(path), len(rows), size),))


def _full(table: StarTable, row: Row) -> Row:
    unknown = row.keys() - {column.name for column in table.columns}
    assert not unknown, (table.name, unknown)
    defaults = {c.name: _DEFAULTS.get(c.type) if c.required else None for c in table.columns}
    return {**defaults, **row}


def game(game_id: int, **columns: object) -> Row:
    """A released game of 2020 that nobody voted on."""
    usual: Row = {
        "game_id": game_id,
        "name": f"Game {game_id}",
        "slug": f"game-{game_id}",
        "released_on": dt.date(2020, 6, 15),
        "is_tba": False,
        "rating": 0.0,
        "rating_top": 0,
        "playtime_hours": 0,
        "source_updated_at": NOW,
    }
    return {**usual, **columns}


def dimension(name: str, *names: str, slugs: dict[str, str] | None = None) -> list[Row]:
    """Rows of dim_<name>: key 0 is Unknown, then the given names with ids 1, 2, 3..."""
    found = [{f"{name}_key": 0, f"{name}_name": "Unknown"}]
    for number, text in enumerate(names, start=1):
        slug = (slugs or {}).get(text, text.lower())
        found.append(
            {
                f"{name}_key": KEY + number,
                f"{name}_id": number,
                f"{name}_name": text,
                f"{name}_slug": slug,
            }
        )
    return found


def bridge(name: str, links: dict[int, list[int]]) -> list[Row]:
    """Rows of bridge_game_<name> from game id to dimension ids."""
    return [
        {"game_id": game_id, f"{name}_key": KEY + number}
        for game_id, numbers in links.items()
        for number in numbers
    ]


def seen(at: dt.datetime = NOW) -> list[Row]:
    """One history row, which says when the lake was last read."""
    return [{"game_id": 1, "observed_at": at, "source_updated_at": at}]


def answers(folder: Path, *statements: str, **rows: list[Row]) -> list[list[tuple[Any, ...]]]:
    """Ask each statement of a lake with these rows, loaded on the day of NOW."""
    with QueryEngine(pin(folder, **{"fact_game_history": seen(), **rows})) as engine:
        return [engine.sql(statement).fetchall() for statement in statements]
