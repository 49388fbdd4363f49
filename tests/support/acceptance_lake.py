"""Reading back what a lake under test holds: the star, raw rows, catalog heads."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from lakes import LakeUnderTest
from oracle import Row
from star_difference import published

from serving.lake import connect
from storage.layout import GAMES, MAIN, QUARANTINE, SOURCE_RAWG, WATERMARK
from storage.raw_parts import RawPart, list_parts
from utils.config import load_settings

Star = Mapping[str, list[Row]]


def star_of(lake: LakeUnderTest, at: str | None = None) -> dict[str, list[Row]]:
    """Return the published star, every table of it."""
    with connect(load_settings(lake.environ, dotenv=None), at) as engine:
        return published(engine)


def asked(lake: LakeUnderTest, question: str) -> list[Row]:
    """Return the rows that `gamelake sql` answers."""
    with connect(load_settings(lake.environ, dotenv=None)) as engine:
        rows: list[Row] = engine.sql(question).arrow().to_pylist()
        return rows


def raw_rows(lake: LakeUnderTest, run_id: str | None = None, *columns: str) -> list[Row]:
    """Return the rows about games that raw holds, of one run or of all."""
    with lake.open() as opened:
        parts = list_parts(opened.raw, SOURCE_RAWG, GAMES, run_id)
        keys = [part.key for part in parts if part.manifest.rows]
        rows: list[Row] = []
        if keys:
            rows = opened.raw.read_table(keys, columns=["id", *columns]).to_pylist()
        return rows


def raw_ids(lake: LakeUnderTest, run_id: str | None = None) -> set[int]:
    """Return the games that raw holds, of one run or of all."""
    return {row["id"] for row in raw_rows(lake, run_id)}


def raw_parts(lake: LakeUnderTest, run_id: str) -> list[RawPart]:
    """Return a run's parts about games, its quarantine included."""
    with lake.open() as opened:
        found = [list_parts(opened.raw, SOURCE_RAWG, e, run_id) for e in (GAMES, QUARANTINE)]
        return [part for parts in found for part in parts]


def pointers(lake: LakeUnderTest) -> dict[str, object]:
    """Return everything a publish may move: heads of all references, snapshots of all tables."""
    with lake.open() as opened:
        references = opened.catalog.references()
        tables = opened.catalog.pin(MAIN).tables
        heads: dict[str, object] = {name: ref.head for name, ref in references.items()}
        return heads | {f"{name}@": table.snapshot_id for name, table in tables.items()}


def rebuilt_elsewhere(lake: LakeUnderTest, home: Path) -> LakeUnderTest:
    """Copy raw alone to `home` and build the star from it in full."""
    shutil.copytree(lake.home / "raw", home / "raw")
    other = LakeUnderTest(home, lake.base_url)
    report = other.must("etl", "--full")
    assert (report["published"], report["mode"]) == (True, "full")
    return other


def without(star: Star, tables: Mapping[str, Iterable[str]]) -> dict[str, list[Row]]:
    """Return the star without some columns of some tables."""
    return {
        name: [{k: v for k, v in row.items() if k not in tables.get(name, ())} for row in rows]
        for name, rows in star.items()
    }


def without_russian_tags(star: Star) -> dict[str, list[Row]]:
    """Return the star without the tags that only the filtered listing shows."""
    russian = {row["tag_key"] for row in star["dim_tag"] if row["language_code"] == "rus"}
    kept = {
        name: [row for row in star[name] if row["tag_key"] not in russian]
        for name in ("dim_tag", "bridge_game_tag")
    }
    return {**star, **kept}


def watermark(lake: LakeUnderTest) -> str | None:
    """Return the newest `updated` that the lake has read in full."""
    with lake.open() as opened, opened.database.reading() as unit:
        return unit.state.get(WATERMARK)
