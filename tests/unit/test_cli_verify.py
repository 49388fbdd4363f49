"""Every invariant of `gamelake verify` can fail, and says what is wrong."""

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lakes import KEY, LakeUnderTest

from gamelake.verify import INVARIANTS
from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess
from utils.errors import Damaged, ServiceDown


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> LakeUnderTest:
    """A small published lake; tests break copies of it."""
    home = tmp_path_factory.mktemp("sound") / "lake"
    with SimulatorProcess.start(SimulatorConfig(games=150)) as source:
        lake = LakeUnderTest(home, source.base_url)
        assert lake.run("run").code == 0
    return lake


@pytest.fixture
def lake(sound, tmp_path) -> LakeUnderTest:
    """A copy where the first lay: table metadata names absolute paths."""
    kept = tmp_path / "kept"
    shutil.copytree(sound.home, kept)
    yield sound
    shutil.rmtree(sound.home)
    shutil.copytree(kept, sound.home)


def broken(lake: LakeUnderTest) -> dict[str, str]:
    """Names of the invariants that do not hold, with their first problem."""
    told = lake.run("verify")
    found = {check["name"]: check for check in told.json["checks"]}
    assert set(found) == {invariant.name for invariant in INVARIANTS}
    bad = {name: check["problems"][0] for name, check in found.items() if not check["ok"]}
    assert told.code == (5 if bad else 0)
    return bad


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def test_a_sound_lake_has_no_problem(lake):
    assert broken(lake) == {}


def test_a_lake_whose_first_run_was_stopped_at_once_has_no_problem(tmp_path):
    with SimulatorProcess.start(SimulatorConfig(games=150, quota=3)) as source:
        new = LakeUnderTest(tmp_path / "new", source.base_url)
        assert new.run("ingest").code == 4

    assert broken(new) == {}


def test_a_cut_data_file_is_found(lake):
    path = max((lake.home / "warehouse").rglob("*.parquet"), key=lambda p: "fact_games" in str(p))
    path.write_bytes(path.read_bytes()[:-1])

    assert path.name in broken(lake)["files"]


def test_a_lost_metadata_file_is_found(lake):
    for path in (lake.home / "warehouse").rglob("*.metadata.json"):
        if "dim_genre" in str(path):
            path.unlink()

    assert "dim_genre" in broken(lake)["files"]


def test_a_pointer_that_no_publish_set_is_found(lake):
    execute(
        lake.home / "catalog.db",
        "UPDATE iceberg_tables SET metadata_location = previous_metadata_location"
        " WHERE catalog_name = 'main' AND table_name = 'dim_genre'",
    )

    assert "dim_genre" in broken(lake)["record"]


def test_a_catalog_that_lost_its_publish_is_found(lake):
    for path in lake.home.glob("catalog.db*"):
        path.unlink()

    assert "the catalog holds no publish" in broken(lake)["record"]


def test_a_repeated_key_is_found(lake):
    (path,) = (lake.home / "warehouse" / "games" / "dim_genre" / "data").rglob("*.parquet")
    rows = pq.read_table(path)
    pq.write_table(pa.concat_tables([rows, rows]), path)

    assert "genre_key is unique: broken by" in broken(lake)["star"]


def test_a_changed_raw_part_is_found(lake):
    path = next((lake.home / "raw" / "rawg" / "games").rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    assert path.name in broken(lake)["parts"]


def test_a_lost_part_is_found(lake):
    path = next((lake.home / "raw" / "rawg" / "games").rglob("*.parquet"))
    path.unlink()

    assert "missing" in broken(lake)["parts"]


def test_pages_that_no_manifest_has_are_found(lake):
    path = next((lake.home / "raw" / "rawg" / "games").rglob("*.manifest.json"))
    path.unlink()

    assert "manifest" in broken(lake)["rows"]


@pytest.mark.parametrize("lost", ["*.manifest.json", "*"])
def test_published_versions_that_raw_has_lost_are_found_also_with_a_rebuilt_store(lake, lost):
    for path in [*(lake.home / "raw" / "rawg" / "games").rglob(lost)]:
        if path.is_file():
            path.unlink()
    for path in lake.home.glob("store.db*"):
        path.unlink()

    assert "150 published versions are in no part: first game 1 of" in broken(lake)["lineage"]


@pytest.mark.parametrize("more", [1, -1])
@pytest.mark.parametrize("name", ["pages", "quarantined"])
def test_a_count_that_differs_from_the_manifests_is_found(lake, name, more):
    counter = f"'$.counters.{name}'"
    changed = f"json_set(summary, {counter}, json_extract(summary, {counter}) + {more})"
    execute(lake.home / "store.db", f"UPDATE runs SET summary = {changed} WHERE kind = 'ingest'")
    assert f"{name}, its manifests hold" in broken(lake)["rows"]


def test_a_watermark_past_the_data_is_found(lake):
    execute(
        lake.home / "store.db",
        "UPDATE lake_state SET value = '2999-01-01' WHERE key LIKE 'watermark%'",
    )

    assert "2999-01-01" in broken(lake)["watermark"]


def test_spooled_pages_that_nothing_will_roll_are_found(lake):
    segment = lake.home / "spool" / "20200101t000000-000000" / "left.spool"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"page")

    assert "left.spool" in broken(lake)["watermark"]


def test_a_secret_in_a_file_is_found(lake):
    (lake.home / "logs").mkdir(exist_ok=True)
    (lake.home / "logs" / "x.log").write_text(f"GET /api/games?key={KEY}")

    assert "x.log" in broken(lake)["secrets"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 7),
        (OSError(errno.EROFS, "Read-only file system"), 7),
        (PermissionError("no right"), 7),
        (ServiceDown("the catalog does not answer", operation="read"), 7),
        (OSError(errno.EIO, "Input/output error"), 5),
        (Damaged("a file is lost", operation="read"), 5),
    ],
)
def test_what_stops_verify_is_told_from_what_is_broken(lake, monkeypatch, error, code):
    def fail(_):
        raise error

    monkeypatch.setattr("gamelake.verify_star.ScratchFolder", fail)
    told = lake.run("verify")

    assert told.code == code
    assert error.args[-1] in told.json["error"]


def test_a_lake_that_is_only_to_be_read_is_verified_in_the_system_s_folder(lake, monkeypatch):
    def read_only(path, mode):
        return not (mode & os.W_OK and Path(path).is_relative_to(lake.home))

    shutil.rmtree(lake.home / "tmp", ignore_errors=True)
    monkeypatch.setattr(os, "access", read_only)  # a mode would not stop root

    assert broken(lake) == {}
    assert not (lake.home / "tmp").exists()


def test_there_is_a_test_for_every_invariant():
    tested = Path(__file__).read_text(encoding="utf-8")

    assert [one.name for one in INVARIANTS if f'broken(lake)["{one.name}"]' not in tested] == []
