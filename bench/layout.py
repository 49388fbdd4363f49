"""Layouts on disk, measured by the questions that the views ask (docs/decisions/0015-layout.md).

`python -m bench.layout LAKE [--repeat N]` writes the tables that the lake has published in each
layout, opens them as `gamelake sql` does, and prints what writing cost, how much it takes, and how
long every curated view, one game's facts and one game's history take to answer.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb

from etl.iceberg_catalog import PinnedCatalog
from etl.iceberg_contract import DataFileInfo
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_schemas import TABLES
from serving.engine import QueryEngine
from storage.layout import MAIN, LakePaths

ONE_GAME = {
    "one game": "SELECT * FROM fact_games WHERE game_id = {game}",
    "its history": "SELECT * FROM fact_game_history WHERE game_id = {game}",
    "its tags": "SELECT tag_name FROM bridge_game_tag JOIN dim_tag USING (tag_key)"
    " WHERE game_id = {game}",
    "one year": "SELECT count(*), avg(rating) FROM fact_games"
    " WHERE released_on BETWEEN DATE '2019-01-01' AND DATE '2019-12-31'",
}


@dataclass(frozen=True)
class Layout:
    """How the rows of the tables lie in files.

    fact_order: what `fact_games` is sorted by; bridges and history always by game
    rows: of a row group; groups: row groups of a file, 0 for one file a table
    by_year: `fact_games` has a folder for each year of release
    """

    name: str
    fact_order: str = "game_id"
    rows: int = 122_880
    groups: int = 0
    by_year: bool = False


LAYOUTS = (
    Layout("one file, groups of 122,880"),
    Layout("file = group of 122,880", groups=1),
    Layout("file = group of 30,720", rows=30_720, groups=1),
    Layout("one file, groups of 30,720", rows=30_720),
    Layout("one file, facts by release day", fact_order="released_on, game_id"),
    Layout("facts by year's folder", fact_order="game_id", by_year=True),
)


def main() -> int:
    """Measure every layout and print a line for each: rounds over all of them, the least counts."""
    parser = argparse.ArgumentParser(prog="python -m bench.layout", description=__doc__)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    sources = _published(asked.lake)
    with tempfile.TemporaryDirectory(prefix="gamelake-layout-") as folder:
        written = {}
        for number, layout in enumerate(LAYOUTS):
            started = time.perf_counter()
            files = {n: _write(n, sources[n], Path(folder, str(number)), layout) for n in TABLES}
            written[layout.name] = (time.perf_counter() - started, files)
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in written}
        for _ in range(asked.repeat):
            for name, (_, files) in written.items():
                rounds[name].append(_answers(files))
        for name, (seconds, files) in written.items():
            print(f"{name:<34} wrote in {seconds:5.2f} s, {_size(files)}")
            for what, took in _least(rounds[name]).items():
                print(f"    {what:<28} {took * 1000:7.1f} ms")
    return 0


def _published(lake: Path) -> dict[str, list[str]]:
    catalog = EmbeddedCatalog(LakePaths(lake))
    try:
        tables = catalog.pin(MAIN).tables
        return {name: [f.path for f in table.data_files] for name, table in tables.items()}
    finally:
        catalog.close()


def _write(name: str, source: list[str], folder: Path, layout: Layout) -> list[Path]:
    folder.mkdir(exist_ok=True)
    target = folder / name
    fact = name == "fact_games"
    order = layout.fact_order if fact else ", ".join(TABLES[name].sort)
    rows, more = f"SELECT * FROM read_parquet({source})", ""
    if fact and layout.by_year:
        rows = f"SELECT *, coalesce(year(released_on), 0) AS y FROM ({rows})"
        more = ", PARTITION_BY (y)"
    elif layout.groups:
        more = f", ROW_GROUPS_PER_FILE {layout.groups}"
    else:
        target = target.with_suffix(".parquet")
    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        connection.execute(
            f"COPY ({rows} ORDER BY {order}) TO '{target}'"
            f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {layout.rows}{more})"
        )
    return sorted(target.rglob("*.parquet")) if target.is_dir() else [target]


def _size(files: Mapping[str, list[Path]]) -> str:
    every = [path for paths in files.values() for path in paths]
    return f"{len(every)} files, {sum(path.stat().st_size for path in every) / 1e6:.1f} MB"


def _answers(files: Mapping[str, list[Path]]) -> dict[str, float]:
    """Ask every question once; return the seconds each took."""
    with _engine(files) as engine:
        game = engine.sql("SELECT max(game_id) // 2 FROM fact_games").fetchall()[0][0]
        questions = {view: f"SELECT * FROM {view}" for view in engine.views}
        questions |= {what: text.format(game=game) for what, text in ONE_GAME.items()}
        return {what: _seconds(engine, text) for what, text in questions.items()}


def _least(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return the least of every question, the views summed up: other work only adds."""
    took = {what: min(answers[what] for answers in rounds) for what in rounds[0]}
    every = sum(took[view] for view in took.keys() - ONE_GAME.keys())
    return {"all views": every, **{what: took[what] for what in ONE_GAME}}


def _seconds(engine: QueryEngine, text: str) -> float:
    started = time.perf_counter()
    engine.sql(text).arrow()
    return time.perf_counter() - started


def _engine(files: Mapping[str, list[Path]]) -> QueryEngine:
    """Open the files as `gamelake sql` opens those of a lake."""
    tables: dict[str, Any] = {
        name: SimpleNamespace(
            name=name,
            schema=TABLES[name].arrow(),
            data_files=tuple(DataFileInfo(str(p), 0, p.stat().st_size) for p in paths),
        )
        for name, paths in files.items()
    }
    return QueryEngine(cast(PinnedCatalog, SimpleNamespace(head="layout", tables=tables)))


if __name__ == "__main__":
    sys.exit(main())
