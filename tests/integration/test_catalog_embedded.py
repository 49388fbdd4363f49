"""What only the catalog on SQLite has to keep: its file, its locks, its other openers."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from publish_workers import append_rows, contents, publish
from star_rows import genres, publish_record

from etl import iceberg_pointers
from etl.iceberg_catalog import open_catalog
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils import seams
from utils.config import Settings
from utils.errors import Damaged, Locked, ServiceDown, UsageError
from utils.seams import Fault


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[EmbeddedCatalog]:
    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    yield catalog
    seams.arm(None)
    catalog.close()


def test_settings_open_the_lake_of_their_home(tmp_path: Path) -> None:
    catalog = open_catalog(Settings(gamelake_home=tmp_path / "home"))
    catalog.close()

    assert (tmp_path / "home" / "catalog.db").is_file()


def test_the_stack_without_its_keys_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="MINIO_ACCESS_KEY"):
        open_catalog(Settings(gamelake_home=tmp_path, gamelake_profile="stack"))


def test_any_path_will_do(tmp_path: Path) -> None:
    catalog = EmbeddedCatalog(LakePaths(tmp_path / "my lake #1 ü%20?x='y'"))

    publish(catalog, "r", 7)

    assert contents(catalog.pin("main"))["dim_genre"] == [7]
    catalog.close()


def test_many_processes_may_open_a_new_lake_at_once(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("forkserver")) as pool:
        done = list(pool.map(append_rows, [str(tmp_path)] * 4, range(4), [1] * 4))

    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    assert sum(done) == 4
    assert sorted(contents(catalog.pin("main"))["dim_genre"]) == [0, 1000, 2000, 3000]
    catalog.close()


def test_commits_are_synced_and_readers_do_not_wait(
    catalog: EmbeddedCatalog, tmp_path: Path
) -> None:
    connection = iceberg_pointers.connect(tmp_path / "catalog.db")

    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.execute("BEGIN IMMEDIATE")
    assert list(catalog.references()) == ["main"]
    connection.close()


def test_a_catalog_that_another_holds_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iceberg_pointers, "BUSY_TIMEOUT_S", 0.05)
    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    catalog.create_branch("b")
    other = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Locked):
        catalog.create_branch("x")
    with pytest.raises(ServiceDown):
        BranchWriter(catalog, "b").replace("dim_genre", genres(1), run_id="r")

    other.close()
    catalog.close()


@pytest.mark.usefixtures("catalog")
def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "catalog.db")
    connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(UsageError, match="format 99"):
        EmbeddedCatalog(LakePaths(tmp_path))


def test_what_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"this is no database" * 100)

    with pytest.raises(Damaged, match="not a database") as caught:
        EmbeddedCatalog(LakePaths(tmp_path))

    assert "move catalog.db* away" in caught.value.hint


def test_a_catalog_that_the_disk_refuses_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").mkdir()

    with pytest.raises(ServiceDown, match="unable to open") as caught:
        EmbeddedCatalog(LakePaths(tmp_path))

    assert not isinstance(caught.value, Damaged)
    assert "disk full" in caught.value.hint


@pytest.mark.parametrize("call", ["create", "tag", "drop", "assign", "merge"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_each_call_survives_one_lost_answer(
    catalog: EmbeddedCatalog, call: str, when: seams.When
) -> None:
    publish(catalog, "r0", 0)
    start = catalog.create_branch("b").head
    BranchWriter(catalog, "b").write_record(publish_record("b"))
    calls = {
        "create": lambda: catalog.create_branch("new"),
        "tag": lambda: catalog.tag("new", "main"),
        "drop": lambda: catalog.drop_branch("b"),
        "assign": lambda: catalog.assign("b", "run-r0"),
        "merge": lambda: catalog.merge("b", expected_head=start, fence=1),
    }
    fault = Fault("error", when, "*", 1, error=lambda: TimeoutError("injected"))
    seams.arm(fault)

    calls[call]()

    seams.arm(None)
    found = catalog.references()
    assert fault.fired == 1
    assert ("new" in found) == (call in ("create", "tag"))
    assert ("b" in found) == (call != "drop")
    assert (found["main"].head == start) == (call != "merge")
