"""Where the files of the tables lie, and how DuckDB and Arrow get at them.

Locally they are plain files. In a bucket they are downloaded for DuckDB, which has no S3 of its
own here, and read through Arrow's filesystem for queries.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.dataset as ds
from pyiceberg.io import FileIO

from etl.iceberg_io import FsyncFileIO, StoreFileIO, sync_file
from storage.object_store import ObjectStore
from storage.scratch import ScratchFolder
from utils.errors import ServiceDown

UPLOADS = 4  # files of one table on their way at once


class TableFiles(Protocol):
    """The data and metadata files of all tables. A location is what Iceberg records of a file."""

    @property
    def io(self) -> FileIO:
        """What pyiceberg reads and writes metadata with."""

    def new_folder(self, location: str) -> AbstractContextManager[Path]:
        """Give an empty folder to write files into.

        After the block each of them is the durable file `<location>/<its name>`.
        """

    def fetch(self, locations: Sequence[str], folder: Path) -> list[str]:
        """Return a local path for each file; downloads go below `folder`, the caller's to drop."""

    def dataset(self, locations: Sequence[str], schema: pa.Schema) -> ds.Dataset:
        """Return the rows of parquet files; raises FileNotFoundError for one that is missing."""

    def sizes(self) -> Mapping[str, int]:
        """Return the size in bytes of every file there is, by location."""

    def size_of(self) -> Callable[[str], int | None]:
        """Return what tells a file's size now, None for one that is not there."""

    def close(self) -> None:
        """Drop what was only needed for writing."""


class LocalFiles:
    """Table files in a folder; locations are absolute paths, some behind `file://`."""

    io: FileIO = FsyncFileIO()

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @contextmanager
    def new_folder(self, location: str) -> Iterator[Path]:
        """Give the folder itself; see TableFiles."""
        folder = Path(_local(location))
        folder.mkdir(parents=True)
        yield folder
        for path in folder.iterdir():
            sync_file(path)

    def fetch(self, locations: Sequence[str], folder: Path) -> list[str]:
        """Return the paths themselves; see TableFiles."""
        del folder
        return [_local(location) for location in locations]

    def dataset(self, locations: Sequence[str], schema: pa.Schema) -> ds.Dataset:
        """See TableFiles."""
        return ds.dataset([_local(place) for place in locations], schema=schema, format="parquet")

    def sizes(self) -> Mapping[str, int]:
        """See TableFiles."""
        return {str(p): p.stat().st_size for p in self._root.rglob("*") if p.is_file()}

    def size_of(self) -> Callable[[str], int | None]:
        """See TableFiles."""
        return _local_size

    def close(self) -> None:
        """See TableFiles: there is nothing to drop."""


class BucketFiles:
    """Table files in an object store with the root `root`, such as `s3://warehouse/`.

    Files are written in a folder of our own below `scratch` before they are uploaded.
    """

    def __init__(self, store: ObjectStore, root: str, scratch: Path) -> None:
        self._store = store
        self._root = root
        self._scratch = ScratchFolder(scratch)
        self._io = StoreFileIO(store, root, self._scratch)

    @property
    def io(self) -> FileIO:
        """See TableFiles."""
        return self._io

    @contextmanager
    def new_folder(self, location: str) -> Iterator[Path]:
        """Give a scratch folder and upload what is there then, side by side; see TableFiles."""
        key = self._io.key(location)
        folder = self._scratch.path / location.rpartition("/")[2]
        folder.mkdir()
        try:
            yield folder
            paths = [*folder.iterdir()]
            with ThreadPoolExecutor(UPLOADS) as pool:
                [*pool.map(lambda path: self._store.put_file(f"{key}/{path.name}", path), paths)]
        finally:
            shutil.rmtree(folder)

    def fetch(self, locations: Sequence[str], folder: Path) -> list[str]:
        """Download the files side by side; see TableFiles."""
        keys = [self._io.key(location) for location in locations]
        return [str(path) for path in self._store.fetch(keys, folder)]

    def dataset(self, locations: Sequence[str], schema: pa.Schema) -> ds.Dataset:
        """See TableFiles; only the columns and row groups that a query needs are transferred."""
        filesystem, root = self._store.arrow_filesystem()
        paths = [f"{root}/{self._io.key(location)}" for location in locations]
        try:
            return ds.dataset(paths, schema=schema, format="parquet", filesystem=filesystem)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ServiceDown(
                f"MinIO does not give the files of the tables: {error}",
                operation="open lake",
                subject="MINIO_ENDPOINT",
                hint="start MinIO (`make up`), or correct MINIO_ENDPOINT and its keys",
            ) from error

    def sizes(self) -> Mapping[str, int]:
        """See TableFiles: one listing."""
        return {self._root + info.key: info.size for info in self._store.list("")}

    def size_of(self) -> Callable[[str], int | None]:
        """See TableFiles: one listing answers for all."""
        return self.sizes().get

    def close(self) -> None:
        """See TableFiles."""
        self._scratch.close()


def _local(location: str) -> str:
    return location.removeprefix("file://")


def _local_size(location: str) -> int | None:
    try:
        return Path(_local(location)).stat().st_size
    except FileNotFoundError:
        return None


LOCAL_FILES: TableFiles = LocalFiles(Path("/"))
