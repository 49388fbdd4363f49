"""After a power cut at any moment, no catalog entry names a missing or short file.

SQLite syncs its own file (synchronous is FULL); what it cannot know of is the warehouse.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from power_loss import PowerModel
from referenced import referenced_files
from star_rows import append, genres, publish_record, star_rows

from etl import iceberg_embedded, iceberg_pointers, iceberg_writer
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_verify import missing_files
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils import seams


def publish(catalog: EmbeddedCatalog, run: str, key: int) -> None:
    """Publish through every way of writing: a stream, an engine's file, an append."""
    start = catalog.create_branch(run).head
    writer = BranchWriter(catalog, run)
    writer.replace("dim_genre", genres(key), run_id=run)
    append(writer, "fact_game_history", star_rows("fact_game_history", [{}]), run_id=run)
    with duckdb.connect() as connection:
        select = f"SELECT {key}::BIGINT AS game_id, 2::BIGINT AS genre_key"
        writer.replace_by(
            "bridge_game_genre",
            lambda target: connection.execute(target.copy_statement(select)),
            run_id=run,
        )
    writer.write_record(publish_record(run))
    catalog.merge(run, expected_head=start, fence=1)
    catalog.tag(f"run-{run}", "main")
    catalog.drop_branch(run)


def after_each_commit(monkeypatch: pytest.MonkeyPatch, check: Callable[[], None]) -> None:
    @contextmanager
    def operation(name: str) -> Iterator[None]:
        with seams.operation(name):
            yield
        if name.startswith("catalog."):
            check()

    for module in (iceberg_embedded, iceberg_pointers, iceberg_writer):
        monkeypatch.setattr(module, "operation", operation)


def test_every_file_is_durable_before_a_commit_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = PowerModel.watching(monkeypatch)
    watcher = EmbeddedCatalog(LakePaths(tmp_path))
    checked = 0

    def check() -> None:
        nonlocal checked
        named = {path for files in referenced_files(watcher).values() for path in files}
        assert [path for path in named if not power.survives(Path(path), tmp_path)] == []
        checked += 1

    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    publish(catalog, "r0", 0)
    after_each_commit(monkeypatch, check)
    for number in range(1, 5):
        publish(catalog, f"r{number}", number)
    catalog.assign("main", "run-r2")

    assert checked >= 4 * 7
    power.cut(tmp_path / "warehouse")
    assert missing_files(watcher) == []
    paths = [file.path for file in watcher.pin("main").tables["dim_genre"].data_files]
    assert duckdb.execute("SELECT genre_key FROM read_parquet(?)", [paths]).fetchall() == [(2,)]
    watcher.close()
    catalog.close()


def test_the_model_catches_a_warehouse_that_is_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = {"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"}
    monkeypatch.setattr(iceberg_embedded, "_FILE_PROPERTIES", library)
    power = PowerModel.watching(monkeypatch)
    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    catalog.create_branch("b")
    BranchWriter(catalog, "b").replace("dim_genre", genres(1), run_id="r")

    assert missing_files(catalog) == []
    assert power.cut(tmp_path / "warehouse") > 0
    assert missing_files(catalog) != []
    catalog.close()


def test_a_file_without_its_folder_synced_does_not_survive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = PowerModel.watching(monkeypatch)
    with (tmp_path / "f").open("wb") as file:
        file.write(b"1")
        file.flush()
        os.fsync(file.fileno())

    assert not power.survives(tmp_path / "f", tmp_path)
