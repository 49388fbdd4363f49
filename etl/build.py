"""Turns selected raw into the new content of every table, in full or from what is new."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ibis.expr.types import Table

from etl.engine_contract import Engine, Places
from etl.iceberg_catalog import PinnedCatalog
from etl.iceberg_schemas import TABLES
from etl.incremental import (
    affected_games,
    carried_over,
    is_per_game,
    raw_rows_of,
    rows_missing,
)
from etl.raw_source import ENTITIES, RawSelection
from etl.star import StarInputs, build_star
from etl.versions import observed_order, picked_versions, with_version
from storage.layout import GAMES
from storage.raw_schema import RAW_GAMES, RAW_LOOKUP


@dataclass(frozen=True)
class TableChange:
    """The new content of one table; rows added and removed where they are known already."""

    name: str
    content: Table
    added: int | None = None
    removed: int | None = None


@dataclass(frozen=True)
class RawTables:
    """The raw of a build as tables: all of it, and the rows that are new, by entity."""

    every: Mapping[str, Table]
    new: Mapping[str, Table]


def open_raw(engine: Engine, places: Places, raw: RawSelection) -> RawTables:
    """Name the raw parts as tables; a part has the same place in `every` and in `new`."""
    every, new, first = {}, {}, 0
    for entity in ENTITIES:
        schema = RAW_GAMES if entity == GAMES else RAW_LOOKUP
        paths = places.raw([part.key for part in raw.parts[entity]])
        every[entity] = engine.raw(f"raw_{entity}", paths, schema, first)
        first += len(paths)
        fresh = paths[len(paths) - len(raw.new[entity]) :]  # what is applied comes first
        new[entity] = engine.raw(f"new_{entity}", fresh, schema, first - len(fresh))
    return RawTables(every, new)


def open_published(
    engine: Engine,
    places: Places,
    pinned: PinnedCatalog,
    prefix: str,
    *,
    only: Collection[str] = TABLES,
) -> dict[str, Table]:
    """Name the tables of a commit `<prefix>_<table>`."""
    wanted = {name: table for name, table in pinned.tables.items() if name in only}
    every = [file.path for table in wanted.values() for file in table.data_files]
    paths = dict(zip(every, places.tables(every), strict=True))
    return {
        name: engine.parquet(
            f"{prefix}_{name}",
            [paths[file.path] for file in table.data_files],
            TABLES[name].arrow(),
        )
        for name, table in wanted.items()
    }


def build_full(engine: Engine, raw: RawTables) -> Iterator[TableChange]:
    """Yield the content of every table, from raw alone."""
    order = engine.keep("observed_order", observed_order(*raw.every.values()))
    versioned = {entity: with_version(table, order) for entity, table in raw.every.items()}
    games = versioned[GAMES]
    picks = engine.keep("picked_versions", picked_versions(games))
    star = build_star(StarInputs(games, picks, games, versioned, versioned["parent_platforms"]))
    for name, content in star.items():
        yield TableChange(name, content)


def build_incremental(
    engine: Engine, raw: RawTables, published: Mapping[str, Table]
) -> Iterator[TableChange]:
    """Yield the content of the tables that change; equal to a full build of all raw.

    A content may be read only until the next one is asked for: what was rebuilt is then dropped.
    Needs every new raw row to be younger than all that is applied (`RawSelection.late`).
    """
    affected = engine.keep("affected_games", affected_games(raw.new[GAMES]))
    order = engine.keep("observed_order", observed_order(*raw.every.values()))
    games = with_version(raw_rows_of(raw.every[GAMES], affected), order)
    new = {entity: with_version(table, order) for entity, table in raw.new.items()}
    picks = engine.keep("picked_versions", picked_versions(games))
    parents = with_version(raw.every["parent_platforms"], order)
    star = build_star(StarInputs(games, picks, new[GAMES], new, parents, published))
    for name, definition in star.items():
        rebuilt = engine.keep(f"rebuilt_{name}", definition)
        change = _compare(engine, rebuilt, published[name], affected, name=name)
        if change.added or change.removed:
            yield change
        engine.drop(f"rebuilt_{name}")


def _compare(
    engine: Engine, rebuilt: Table, published: Table, affected: Table, *, name: str
) -> TableChange:
    """Work out what the rebuilt rows change; a changed row counts as removed and added."""
    per_game = is_per_game(TABLES[name])
    old = published.semi_join(affected, "game_id") if per_game else published
    return TableChange(
        name,
        carried_over(published, affected, rebuilt) if per_game else rebuilt,
        added=engine.count(rows_missing(rebuilt, old)),
        removed=engine.count(rows_missing(old, rebuilt)),
    )
