"""Turns selected raw into the new content of every table, in full or from what is new."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from ibis.expr.types import Table

from etl.engine_contract import Delta, Engine, Places
from etl.iceberg_catalog import PinnedCatalog, PinnedTable
from etl.iceberg_contract import DataFileInfo
from etl.iceberg_schemas import TABLES
from etl.incremental import (
    affected_games,
    carried_over,
    changed_games,
    differences,
    is_per_game,
    rows_of_affected,
)
from etl.raw_source import ENTITIES, RawSelection
from etl.star import StarInputs, build_star
from etl.versions import observed_order, picked_versions, with_version
from storage.layout import GAMES, LOOKUPS, YEAR_COUNTS
from storage.raw_schema import RAW_GAMES, RAW_LOOKUP, RAW_YEAR_COUNTS

_SCHEMAS = {
    GAMES: RAW_GAMES,
    **dict.fromkeys(LOOKUPS, RAW_LOOKUP),
    YEAR_COUNTS: RAW_YEAR_COUNTS,
}


@dataclass(frozen=True)
class TableChange:
    """The new content of one table; rows added and removed, and the delta, where known already."""

    name: str
    content: Table
    added: int | None = None
    removed: int | None = None
    delta: Delta | None = None


@dataclass(frozen=True)
class RawTables:
    """The raw of a build as tables, by entity: all of it, what is published, what is new."""

    every: Mapping[str, Table]
    applied: Mapping[str, Table]
    new: Mapping[str, Table]


def open_raw(engine: Engine, places: Places, raw: RawSelection) -> RawTables:
    """Name the raw parts as tables; a part has the same place in `every` and in `new`."""
    every, new, applied, first = {}, {}, {}, 0
    for entity in ENTITIES:
        schema = _SCHEMAS[entity]
        paths = places.raw([part.key for part in raw.parts[entity]])
        known = len(paths) - len(raw.new[entity])  # what is applied comes first
        every[entity] = engine.raw(f"raw_{entity}", paths, schema, first)
        applied[entity] = engine.raw(f"applied_{entity}", paths[:known], schema, first)
        new[entity] = engine.raw(f"new_{entity}", paths[known:], schema, first + known)
        first += len(paths)
    return RawTables(every, applied, new)


def open_published(
    engine: Engine,
    places: Places,
    pinned: PinnedCatalog,
    prefix: str,
    *,
    only: Collection[str] = TABLES,
) -> dict[str, Table]:
    """Name the tables of a commit `<prefix>_<table>`.

    They have the declared columns, but for those that an earlier version did not know.
    """
    wanted = {name: table for name, table in pinned.tables.items() if name in only}
    every = [file.path for table in wanted.values() for file in table.data_files]
    paths = dict(zip(every, places.tables(every), strict=True))
    return {
        name: engine.parquet(
            f"{prefix}_{name}",
            [paths[file.path] for file in table.data_files],
            _known_columns(name, table),
        )
        for name, table in wanted.items()
    }


def _known_columns(name: str, table: PinnedTable) -> pa.Schema:
    known = set(table.schema.names)
    return pa.schema([field for field in TABLES[name].arrow() if field.name in known])


def build_full(engine: Engine, raw: RawTables) -> Iterator[TableChange]:
    """Yield the content of every table, from raw alone."""
    order = engine.keep("observed_order", observed_order(*raw.every.values()))
    versioned = {entity: with_version(table, order) for entity, table in raw.every.items()}
    games = versioned[GAMES]
    picks = engine.keep("picked_versions", picked_versions(games))
    star = build_star(
        StarInputs(
            games=games,
            picks=picks,
            observed=games,
            lookups=versioned,
            parent_platforms=versioned["parent_platforms"],
            year_counts=raw.every[YEAR_COUNTS],
        )
    )
    for name, content in star.items():
        yield TableChange(name, content)


def build_incremental(
    engine: Engine,
    raw: RawTables,
    published: Mapping[str, Table],
    files: Mapping[str, tuple[DataFileInfo, ...]],
) -> Iterator[TableChange]:
    """Yield the content of the tables that change; equal to a full build of all raw.

    `files` are those of the published tables, in the order in which the engine knows them. Needs
    every new raw row to be younger than all that is applied (`RawSelection.late`).
    """
    affected = engine.keep("affected_games", affected_games(raw.new[GAMES]))
    rebuilt, before = {}, {}
    for name, rows in _rebuilt_star(engine, raw, affected, published).items():
        rebuilt[name] = engine.keep(f"rebuilt_{name}", rows)
        before[name] = published[name]
        if is_per_game(TABLES[name]):
            old = published[name].semi_join(affected, "game_id")
            before[name] = engine.keep(f"before_{name}", old)
    counted = {row["what"]: row["n"] for row in engine.rows(differences(rebuilt, before))}
    for name, rows in rebuilt.items():
        added, removed = counted[f"{name} added"], counted[f"{name} removed"]
        if not (added or removed):
            continue
        if not is_per_game(TABLES[name]):
            yield TableChange(name, rows, added, removed)
            continue
        games = engine.keep(f"changed_{name}", changed_games(rows, before[name]))
        delta = Delta(published[name], files[name], games, rows.semi_join(games, "game_id"))
        content = carried_over(published[name], games, delta.rows)
        yield TableChange(name, content, added, removed, delta)


def _rebuilt_star(
    engine: Engine, raw: RawTables, affected: Table, published: Mapping[str, Table]
) -> dict[str, Table]:
    """Return the definitions of the dimensions, and of the affected games' rows elsewhere."""
    rows = rows_of_affected(raw.applied[GAMES], raw.new[GAMES], affected)
    rows = engine.keep("affected_rows", rows)
    lookups = [table for entity, table in raw.every.items() if entity != GAMES]
    order = engine.keep("observed_order", observed_order(rows, *lookups))
    games = with_version(rows, order)
    new = {entity: with_version(table, order) for entity, table in raw.new.items()}
    picks = engine.keep("picked_versions", picked_versions(games))
    parents = with_version(raw.every["parent_platforms"], order)
    return build_star(
        StarInputs(
            games=games,
            picks=picks,
            observed=new[GAMES],
            lookups=new,
            parent_platforms=parents,
            year_counts=raw.every[YEAR_COUNTS],
            published=published,
        )
    )
