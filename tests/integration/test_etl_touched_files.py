"""A delta rewrites the files that hold a changed game, and leaves the others where they are."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from etl_lake import EtlLake, open_lake
from raw_builder import game, named

from etl.context import EtlRequest
from etl.pipeline import run_etl
from storage.layout import MAIN

ROWS = 2_048  # the fewest that DuckDB puts into a file
GAMES = 3 * ROWS
DELTA = EtlRequest()


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EtlLake]:
    monkeypatch.setattr("etl.iceberg_files.ROW_GROUP_ROWS", ROWS)
    monkeypatch.setattr("etl.engine.SMALL_ROWS", ROWS // 2)
    with open_lake(tmp_path / "lake") as opened:
        opened.add(
            "r0", "games", [game(n, at=1, genres=[named(n % 3 + 1)]) for n in range(1, GAMES + 1)]
        )
        run_etl(opened.ctx, DELTA)
        yield opened


def _files(lake: EtlLake, table: str) -> dict[str, list[int]]:
    """Return the games of each file of a table, in the order of their rows."""
    found = lake.ctx.catalog.pin(MAIN).tables[table].data_files
    return {
        file.path: pq.read_table(file.path, columns=["game_id"])["game_id"].to_pylist()
        for file in found
    }


def test_files_hold_runs_of_the_rows_in_their_order(lake: EtlLake) -> None:
    for table in ("fact_games", "bridge_game_genre"):
        held = sorted(_files(lake, table).values())

        assert [len(games) for games in held] == [ROWS] * 3
        assert [n for games in held for n in games] == [*range(1, GAMES + 1)]


def test_only_files_with_a_changed_game_are_rewritten(lake: EtlLake) -> None:
    before = _files(lake, "fact_games")
    lake.add("r1", "games", [game(ROWS + 5, at=2, rating=4.5, genres=[named((ROWS + 5) % 3 + 1)])])

    report = run_etl(lake.ctx, DELTA)
    after = _files(lake, "fact_games")
    gone = [held for path, held in before.items() if path not in after]

    assert report.mode == "incremental"
    assert gone == [[*range(ROWS + 1, 2 * ROWS + 1)]]
    assert sorted(after.values()) == sorted(before.values())
    assert report.tables["bridge_game_genre"].added == 0


def test_a_table_in_which_nothing_differs_keeps_every_file_and_its_snapshot(lake: EtlLake) -> None:
    files, snapshots = _files(lake, "bridge_game_genre"), lake.snapshots()
    lake.add("r1", "games", [game(7, at=2, rating=4.5, genres=[named(7 % 3 + 1)])])
    run_etl(lake.ctx, DELTA)

    assert _files(lake, "bridge_game_genre") == files
    changed = {name for name, at in lake.snapshots().items() if snapshots[name] != at}
    assert changed == {"fact_games", "fact_game_history"}


def test_new_games_make_one_small_file_that_grows(lake: EtlLake) -> None:
    before = _files(lake, "fact_games")
    for number in (1, 2, 3):
        lake.add(f"r{number}", "games", [game(GAMES + number, at=1 + number)])
        run_etl(lake.ctx, DELTA)

        added = {p: held for p, held in _files(lake, "fact_games").items() if p not in before}
        assert [*added.values()] == [[*range(GAMES + 1, GAMES + number + 1)]]


@pytest.mark.parametrize("seed", range(3))
def test_after_many_deltas_the_star_is_that_of_a_rebuild(
    lake: EtlLake, tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    for number in range(1, 5):
        wide = draw.random() < 0.3
        first = draw.randint(1, GAMES)
        ids = draw.sample(range(1, GAMES), 30) if wide else range(first, first + 20)
        rows = [
            game(n, at=1 + number, rating=draw.random(), genres=[named(draw.randint(1, 4))])
            for n in ids
        ]
        lake.add(f"r{number}", "games", rows)
        assert run_etl(lake.ctx, DELTA).mode == "incremental"
    shutil.copytree(tmp_path / "lake" / "raw", tmp_path / "again" / "raw")
    with open_lake(tmp_path / "again") as rebuilt:
        run_etl(rebuilt.ctx, DELTA)
        assert lake.star() == rebuilt.star()
