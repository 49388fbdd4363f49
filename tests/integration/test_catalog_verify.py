"""`verify` is tested by breaking the lake: each broken file is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from referenced import referenced_files
from star_rows import append, genres, publish_record, star_rows

from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_io import FsyncFileIO
from etl.iceberg_verify import missing_files, record_mismatches
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils.errors import ServiceDown

KINDS = {
    "metadata": ".metadata.json",
    "manifest list": "snap-*.avro",
    "manifest": "-m*.avro",
    "data": ".parquet",
}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[EmbeddedCatalog]:
    """A lake with one published run and nothing else."""
    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    publish(catalog, "r1", 1)
    yield catalog
    catalog.close()


def publish(catalog: EmbeddedCatalog, run: str, key: int) -> None:
    start = catalog.create_branch(run).head
    writer = BranchWriter(catalog, run)
    result = writer.replace("dim_genre", genres(key), run_id=run)
    tables, rows = {"dim_genre": result.snapshot_id}, {"dim_genre": result.rows}
    writer.write_record(publish_record(run, tables=tables, rows=rows))
    catalog.merge(run, expected_head=start, fence=1)
    catalog.drop_branch(run)
    catalog.tag(f"run-{run}", "main")


def needed(catalog: EmbeddedCatalog, kind: str) -> Path:
    pattern = f"*{KINDS[kind]}"
    return next(Path(p) for p in referenced_files(catalog)["main"] if Path(p).match(pattern))


def test_a_sound_lake_has_no_problem(catalog: EmbeddedCatalog) -> None:
    publish(catalog, "r2", 2)

    assert missing_files(catalog) == []
    assert record_mismatches(catalog.pin("main")) == []
    assert set(referenced_files(catalog)) == {"main", "run-r1", "run-r2"}
    assert all(len(files) >= 4 for files in referenced_files(catalog).values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_is_named(catalog: EmbeddedCatalog, kind: str) -> None:
    path = needed(catalog, kind)
    path.unlink()

    problems = missing_files(catalog)

    assert [p for p in problems if path.name in p.detail]
    assert problems[0].subject.endswith("dim_genre")


@pytest.mark.parametrize("refused", [PermissionError("no right"), ServiceDown("x", operation="y")])
def test_what_the_surroundings_refuse_is_no_problem_of_the_lake(
    catalog: EmbeddedCatalog, monkeypatch: pytest.MonkeyPatch, refused: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise refused

    monkeypatch.setattr(FsyncFileIO, "new_input", refuse)
    with pytest.raises(type(refused)):
        missing_files(catalog)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 10, 200, 1000, -20])
def test_a_short_file_is_a_problem(catalog: EmbeddedCatalog, kind: str, size: int) -> None:
    path = needed(catalog, kind)
    path.write_bytes(path.read_bytes()[:size])

    assert missing_files(catalog)


def test_a_file_that_only_an_old_tag_needs_is_checked(catalog: EmbeddedCatalog) -> None:
    old = needed(catalog, "data")
    publish(catalog, "r2", 2)
    old.unlink()

    assert [p.subject for p in missing_files(catalog)] == ["run-r1: dim_genre"]


def test_a_pointer_that_moved_without_a_record_is_named(catalog: EmbeddedCatalog) -> None:
    catalog.create_branch("b")
    append(BranchWriter(catalog, "b"), "dim_genre", genres(5), run_id="r9")
    BranchWriter(catalog, "b").replace("dim_store", star_rows("dim_store", [{}]), run_id="r9")

    problems = record_mismatches(catalog.pin("b"))

    assert [(p.subject, p.detail.split(" is ")[0]) for p in problems] == [
        ("dim_genre", "snapshot"),
        ("dim_store", "snapshot"),
        ("dim_genre", "row count"),
        ("dim_store", "row count"),
    ]


def test_tables_without_any_record_are_a_problem(tmp_path: Path) -> None:
    catalog = EmbeddedCatalog(LakePaths(tmp_path / "other"))
    catalog.create_branch("b")
    assert record_mismatches(catalog.pin("b")) == []

    BranchWriter(catalog, "b").replace("dim_genre", genres(1), run_id="r")

    assert [p.subject for p in record_mismatches(catalog.pin("b"))] == ["dim_genre"]
    catalog.close()
