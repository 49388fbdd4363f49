"""`gamelake etl --engine spark`: the star that DuckDB builds, keys and lineage included."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_stars import different, star_in
from etl_lake import EtlLake, open_lake
from lakes import LakeUnderTest
from raw_builder import game, named
from simulated import running

from etl.context import EtlRequest
from etl.pipeline import run_etl
from storage.layout import MAIN, STAR
from testbed.spark import spark_jars
from utils.errors import ChecksFailed, UsageError

pytestmark = [
    pytest.mark.spark,
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # PySpark's
]
GAMES = 10_000
SPARK = ("etl", "--engine", "spark")


def about_tables(warnings: list[str]) -> list[str]:
    """Leave out what is said of the ingest: raw that was copied has none."""
    return [warning for warning in warnings if not warning.startswith("raw: ")]


def copied(lake: LakeUnderTest, home: Path) -> LakeUnderTest:
    """Return another lake with the same raw."""
    shutil.copytree(lake.home / "raw", home / "raw")
    return LakeUnderTest(home, lake.base_url)


@pytest.mark.recorded
@pytest.mark.usefixtures("spark")
def test_the_recorded_games_give_the_same_star(recorded_data: Path, tmp_path: Path) -> None:
    """Both listings, so that raw has several versions of a game."""
    with running(replay=recorded_data / "rawg/pages") as source:
        lake = LakeUnderTest(tmp_path / "duckdb", source.base_url)
        lake.must("ingest", "--strategy", "dates")
        source.control.change(3498, touch=False, playtime=1_234)
        lake.must("ingest", "--full", "--strategy", "browse")
    other = copied(lake, tmp_path / "spark")
    expected = lake.must("etl")

    report = other.must(*SPARK)

    assert (report["engine"], report["mode"], report["published"]) == ("spark", "full", True)
    assert report["tables"] == expected["tables"]
    assert about_tables(report["warnings"]) == about_tables(expected["warnings"]) != []
    assert different(star_in(other), star_in(lake)) == []
    assert other.broken() == []


@pytest.mark.parametrize(
    "games", [3_000, pytest.param(404_080, marks=[pytest.mark.nightly, pytest.mark.timeout(1_800)])]
)
def test_invented_games_give_the_same_star(games: int, tmp_path: Path) -> None:
    """A Spark of the command's own, on all cores, as a person runs it; 1 % in two versions."""
    with running(games=games) as source:
        lake = LakeUnderTest(tmp_path / "duckdb", source.base_url)
        lake.must("ingest")
        source.control.churn(games // 100, seed=1)
        lake.must("ingest")
    other = copied(lake, tmp_path / "spark")
    expected = lake.must("etl")

    ended = told(other.environ, *SPARK, "--json")

    assert ended.returncode == 0, ended.stderr
    assert expected["tables"]["fact_game_history"]["rows"] > games
    assert json.loads(ended.stdout)["tables"] == expected["tables"]
    assert different(star_in(other), star_in(lake)) == []


@pytest.mark.stack
@pytest.mark.usefixtures("spark")
def test_on_the_stack_spark_and_duckdb_build_upon_each_other(
    stack_settings: dict[str, str], tmp_path: Path
) -> None:
    """Spark in full, DuckDB a delta, Spark the next: a full build finds nothing to change."""
    with running(games=GAMES) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, stack_settings)
        lake.must("ingest")
        reports = [lake.must(*SPARK)]
        for seed, command in enumerate((["etl"], SPARK), start=1):
            source.control.churn(100, seed=seed)
            lake.must("ingest")
            reports.append(lake.must(*command))
    found = star_in(lake)
    again = lake.must("etl", "--full")

    steps = [(report["engine"], report["mode"]) for report in reports]
    assert steps == [("spark", "full"), ("duckdb", "incremental"), ("spark", "incremental")]
    assert all(report["tables"]["fact_games"]["added"] > 90 for report in reports)
    assert set(again["tables"]) == set(STAR)
    assert all(table["added"] == table["removed"] == 0 for table in again["tables"].values())
    assert different(found, star_in(lake)) == []
    assert lake.must(*SPARK)["mode"] == "none"
    assert lake.broken() == []


def _small(lake: EtlLake) -> None:
    lake.add("r1", "games", [game(1, at=10, genres=[named(7)]), game(2, at=10)])


@pytest.mark.usefixtures("spark")
def test_what_fails_its_checks_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.bridges.surrogate_key", lambda key: key + 1)
    with open_lake(tmp_path) as lake:
        _small(lake)

        with pytest.raises(ChecksFailed, match="every genre_key is a genre_key of dim_genre"):
            run_etl(lake.ctx, EtlRequest(engine="spark"))

        assert lake.ctx.catalog.pin(MAIN).tables == {}


def told(environ: dict[str, str], *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, which starts a Spark of its own."""
    command = [sys.executable, "-m", "gamelake", *argv]
    every = {**os.environ, **environ}
    return subprocess.run(command, env=every, capture_output=True, text=True, check=False)


@pytest.mark.stack
@pytest.mark.nightly
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_sparks_commit_nothing_is_published_and_the_next_run_is_right(
    stack_settings: dict[str, str], tmp_path: Path, when: str
) -> None:
    own = {"SPARK_JARS": ",".join(spark_jars())}
    with running(games=100) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, {**stack_settings, **own})
        lake.must("ingest")

        ended = told({**lake.environ, "GAMELAKE_FAULT": f"kill:{when}:warehouse.write:3"}, *SPARK)

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with lake.open() as opened:
        assert opened.catalog.pin(MAIN).tables == {}
    lake.must(*SPARK)
    found = star_in(lake)
    lake.must("etl", "--full")
    assert different(found, star_in(lake)) == []
    assert lake.broken() == []


@pytest.mark.stack
@pytest.mark.nightly
def test_workers_in_processes_of_their_own_build_the_same_star(
    stack_settings: dict[str, str], tmp_path: Path
) -> None:
    """A small cluster of Spark's own: no worker sees a file of ours but through MinIO."""
    workers = {"SPARK_MASTER": "local-cluster[2,1,1024]", "SPARK_JARS": ",".join(spark_jars())}
    with running(games=300) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, {**stack_settings, **workers})
        lake.must("ingest")

        ended = told(lake.environ, *SPARK)

    assert ended.returncode == 0, ended.stderr
    found = star_in(lake)
    lake.must("etl", "--full")
    assert different(found, star_in(lake)) == []


@pytest.mark.stack
def test_missing_jars_are_told_with_the_setting(
    stack_settings: dict[str, str], tmp_path: Path
) -> None:
    with running(games=40) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, stack_settings)
        lake.must("ingest")

        ended = told(lake.environ, *SPARK)

    assert ended.returncode == UsageError.exit_code, ended.stderr
    assert "SPARK_JARS" in ended.stderr


def test_a_master_that_is_none_is_told_with_the_setting(tmp_path: Path) -> None:
    with running(games=40) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, {"SPARK_MASTER": "nonsense"})
        lake.must("ingest")

        ended = told(lake.environ, *SPARK)

    assert ended.returncode == UsageError.exit_code, ended.stderr
    assert "SPARK_MASTER" in ended.stderr
    assert lake.run("status").code == 0
