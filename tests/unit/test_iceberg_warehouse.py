"""Files of tables in a bucket, whichever store keeps it: made once, read back, listed, fetched."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.iceberg_warehouse import BucketFiles, LocalFiles
from storage.object_store import LocalFolderStore
from utils.errors import GamelakeError, UsageError

ROOT = "s3://warehouse/"


@pytest.fixture
def files(tmp_path: Path) -> BucketFiles:
    """A bucket that is a folder: only downloads and Arrow's view differ from MinIO's."""
    return BucketFiles(LocalFolderStore(tmp_path / "bucket"), ROOT, tmp_path / "scratch")


def left(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]


def test_metadata_is_stored_when_its_stream_closes(files: BucketFiles, tmp_path: Path) -> None:
    output = files.io.new_output(ROOT + "games/t/metadata/m.avro")
    with output.create() as stream:
        stream.write(b"some")
        assert not output.exists()
        stream.write(b"thing")

    assert (output.exists(), len(output)) == (True, 9)
    again = files.io.new_input(output.location)
    assert (again.exists(), len(again), again.open().read()) == (True, 9, b"something")
    assert output.to_input_file().open().read() == b"something"
    assert left(tmp_path) == []


def test_what_is_not_there_is_told_and_nothing_is_ever_deleted(files: BucketFiles) -> None:
    absent = files.io.new_input(ROOT + "games/t/metadata/none.avro")
    assert not absent.exists()
    with pytest.raises(FileNotFoundError):
        len(absent)
    with pytest.raises(GamelakeError, match=r"none\.avro"):
        absent.open()
    with files.io.new_output(ROOT + "a/b").create() as stream:
        stream.write(b"x")
    files.io.delete(ROOT + "a/b")
    assert files.sizes() == {ROOT + "a/b": 1}


def test_a_file_that_exists_is_not_replaced(files: BucketFiles, tmp_path: Path) -> None:
    for content in (b"one", b"one"):
        with files.io.new_output(ROOT + "a/b").create(overwrite=True) as stream:
            stream.write(content)
    other = files.io.new_output(ROOT + "a/b").create(overwrite=True)
    other.write(b"two")
    with pytest.raises(GamelakeError, match="other bytes"):
        other.close()
    assert files.io.new_input(ROOT + "a/b").open().read() == b"one"
    assert left(tmp_path) == []


def test_an_engines_files_are_uploaded_after_the_block(files: BucketFiles, tmp_path: Path) -> None:
    location = ROOT + "games/t/data/f"
    with files.new_folder(location) as folder:
        for number in (1, 2):
            pq.write_table(pa.table({"a": [number]}), folder / f"{number}.parquet")
        assert files.sizes() == {}
        sizes = {f"{location}/{path.name}": path.stat().st_size for path in folder.iterdir()}

    assert files.sizes() == sizes
    assert left(tmp_path) == []
    fetched = files.fetch(sorted(sizes), tmp_path / "copies")
    assert [pq.read_table(path)["a"].to_pylist() for path in fetched] == [[1], [2]]
    found = files.dataset(sorted(sizes), pa.schema([("a", pa.int64())]))
    assert found.to_table()["a"].to_pylist() == [1, 2]


def test_an_engine_that_fails_leaves_nothing(files: BucketFiles, tmp_path: Path) -> None:
    def fail() -> None:
        with files.new_folder(ROOT + "a/f") as folder:
            (folder / "1.parquet").write_bytes(b"half")
            raise ValueError("engine")

    with pytest.raises(ValueError, match="engine"):
        fail()
    assert files.sizes() == {}
    assert left(tmp_path) == []


def test_a_location_in_another_bucket_names_the_setting(files: BucketFiles) -> None:
    with pytest.raises(UsageError, match="MINIO_WAREHOUSE_BUCKET"):
        files.io.new_input("s3://elsewhere/a")


def test_local_files_are_read_where_they_lie(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    location = str(tmp_path / "t" / "data" / "f")
    with files.new_folder(location) as folder:
        pq.write_table(pa.table({"a": [1]}), folder / "1.parquet")
    place = f"{location}/1.parquet"
    assert files.fetch([f"file://{place}"], tmp_path / "unused") == [place]
    assert files.sizes() == {place: files.size_of()(f"file://{place}")}
    assert files.size_of()(str(tmp_path / "none")) is None
    assert not (tmp_path / "unused").exists()
