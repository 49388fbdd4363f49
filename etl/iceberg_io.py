"""Files of tables and their metadata, durable once they are closed: in a folder, or in a bucket.

pyiceberg's own FileIO leaves new files in the page cache, so after a power cut the catalog may
name an empty metadata file. Here closing a file makes it durable (synced with the folders that
lead to it, or answered for by the object store), and only then does the catalog commit refer to
it. Nothing is ever deleted: a lost answer may hide that a file is live. What a killed run wrote
stays, and nothing refers to it.
"""

import io
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.io.pyarrow import PyArrowFileIO
from typing_extensions import override

from storage.object_store import ObjectStore
from storage.scratch import ScratchFolder
from utils.errors import UsageError
from utils.seams import operation

FILE_IO = f"{__name__}.FsyncFileIO"


def sync_file(path: Path) -> None:
    """Make the content of `path` and the names that lead to it survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_names(path.parent)


def sync_names(folder: Path) -> None:
    """Make the names in `folder`, and those that lead to it, survive a power cut."""
    _sync_folder(folder)
    _sync_ancestors(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@lru_cache(maxsize=1024)
def _sync_ancestors(folder: Path) -> None:
    """Sync the folders above `folder`, once a process: another may have died after its mkdir."""
    for ancestor in folder.parents:
        if not os.access(ancestor, os.W_OK):
            return  # not ours: we cannot have made anything in it
        _sync_folder(ancestor)


class _DurableStream:
    """A binary stream into a local file; `close` returns when `land` has made it durable."""

    def __init__(self, path: Path, mode: str, land: Callable[[Path], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._land = land
        self._file = path.open(mode)

    @property
    def closed(self) -> bool:
        return self._file.closed

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def write(self, b: bytes) -> int:
        return self._file.write(b)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file, operation("warehouse.write"):
            self._file.flush()
            self._land(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exctype: type[BaseException] | None,
        excinst: BaseException | None,
        exctb: TracebackType | None,
    ) -> None:
        self.close()


class _DurableOutput(OutputFile):
    """An output file that lives at a plain local path."""

    def __len__(self) -> int:
        return Path(self.location).stat().st_size

    @override
    def exists(self) -> bool:
        return Path(self.location).exists()

    @override
    def to_input_file(self) -> InputFile:
        return FsyncFileIO().new_input(self.location)

    @override
    def create(self, overwrite: bool = False) -> OutputStream:
        return _DurableStream(Path(self.location), "wb" if overwrite else "xb", sync_file)


class FsyncFileIO(PyArrowFileIO):
    """pyiceberg FileIO (`py-io-impl`) for plain local paths; what is closed is durable."""

    @override
    def new_output(self, location: str) -> OutputFile:  # type: ignore[override]
        """Return a file whose stream syncs on close."""
        return _DurableOutput(location)

    @override
    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Keep the file."""


class _StoredFile(InputFile):
    """An object, read whole and checked: metadata and manifests are small."""

    def __init__(self, location: str, store: ObjectStore, key: str) -> None:
        super().__init__(location)
        self._store = store
        self._key = key

    def __len__(self) -> int:
        info = self._store.stat(self._key)
        if info is None:
            raise FileNotFoundError(self.location)
        return info.size

    @override
    def exists(self) -> bool:
        return self._store.stat(self._key) is not None

    @override
    def open(self, seekable: bool = True) -> InputStream:
        return io.BytesIO(self._store.get(self._key))


class _NewObject(OutputFile):
    """An object that is written to a scratch file and stored when that is closed."""

    def __init__(self, stored: _StoredFile, scratch: Path, store: Callable[[Path], None]) -> None:
        super().__init__(stored.location)
        self._stored = stored
        self._scratch = scratch
        self._store = store
        self._size: int | None = None

    def __len__(self) -> int:
        return len(self._stored) if self._size is None else self._size

    @override
    def exists(self) -> bool:
        return self._stored.exists()

    @override
    def to_input_file(self) -> InputFile:
        return self._stored

    @override
    def create(self, overwrite: bool = False) -> OutputStream:
        """Return its stream; the store decides that nothing is ever replaced."""
        return _DurableStream(self._scratch, "wb", self._land)

    def _land(self, path: Path) -> None:
        try:
            self._store(path)
            self._size = path.stat().st_size
        finally:
            path.unlink(missing_ok=True)


class StoreFileIO(FileIO):
    """pyiceberg FileIO over an object store; locations are what its `uri` gives.

    `scratch` is for files that are being written.
    """

    def __init__(self, store: ObjectStore, root: str, scratch: ScratchFolder) -> None:
        super().__init__()
        self._store = store
        self._root = root
        self._scratch = scratch

    def key(self, location: str) -> str:
        """Return the key of the object at `location`; raises UsageError when it is elsewhere."""
        if not location.startswith(self._root):
            raise UsageError(
                f"{location} is not in {self._root}, where MINIO_WAREHOUSE_BUCKET says",
                operation="address a table's file",
                subject="MINIO_WAREHOUSE_BUCKET",
                hint="set it to the bucket of Nessie's warehouse",
            )
        return location.removeprefix(self._root)

    @override
    def new_input(self, location: str) -> _StoredFile:
        """Return the object at `location`."""
        return _StoredFile(location, self._store, self.key(location))

    @override
    def new_output(self, location: str) -> OutputFile:
        """Return an object to create at `location`."""
        key = self.key(location)
        return _NewObject(
            self.new_input(location),
            self._scratch.path / location.rpartition("/")[2],
            lambda path: self._store.put_file(key, path),
        )

    @override
    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Keep the object."""
