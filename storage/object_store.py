"""The object store contract, and its local folder implementation.

Keys are '/'-separated and relative to the store's root. Objects are created once and never
changed; the contract has no delete, so no defect of ours can remove what a run stored.
"""

import filecmp
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem, LocalFileSystem

from utils.durable import make_folder, sync_folder
from utils.errors import Damaged, GamelakeError
from utils.seams import operation

_counter = itertools.count()


@dataclass(frozen=True)
class ObjectInfo:
    """One stored object: its key and its size in bytes."""

    key: str
    size: int


def check_key(key: str) -> list[str]:
    """Return the parts of `key`; raises GamelakeError when no store could hold it."""
    parts = key.split("/")
    if any(part in ("", ".", "..") or part.endswith(".tmp") for part in parts):
        raise GamelakeError(
            f"{key!r} is not an object key", operation="address an object", subject=key
        )
    return parts


def absent(key: str, where: object) -> Damaged:
    """Return the error that says that `key` is not in `where`."""
    return Damaged(
        f"the object {key} is not in {where}",
        operation="read an object",
        subject=key,
        hint=Damaged.next_step,
    )


def taken(key: str) -> GamelakeError:
    """Return the error that says that `key` exists with other bytes."""
    return GamelakeError(
        f"the object {key} exists with other bytes",
        operation="write an object",
        subject=key,
        hint="stored files are never changed; run `gamelake verify`",
    )


class ObjectStore(Protocol):
    """Where raw files live. Every implementation passes tests/unit/test_storage_object_store."""

    def put(self, key: str, data: bytes) -> None:
        """Create `key`, atomic and durable on return; the same bytes again are fine.

        Raises GamelakeError when `key` exists with other bytes: nothing stored is ever changed.
        """
        ...

    def put_file(self, key: str, path: Path) -> None:
        """Create `key` from a local file, as `put` does."""
        ...

    def get(self, key: str) -> bytes:
        """Return the bytes of `key`; raises Damaged naming a key that is absent.

        Also where the store itself notices that the bytes have changed.
        """
        ...

    def get_file(self, key: str, path: Path) -> None:
        """Copy `key` to a local file; raises Damaged naming a key that is absent."""
        ...

    def stat(self, key: str) -> ObjectInfo | None:
        """Return size of `key`, or None when it is absent."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield the objects whose key starts with `prefix`, by key; never an unfinished one."""
        ...

    def uri(self, key: str) -> str:
        """Return the address an engine reads `key` at: an absolute path or `s3://...`."""
        ...

    def read_table(self, keys: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of the parquet objects `keys`, in that order, `columns` only.

        Raises Damaged naming a key that is absent or no parquet.
        """
        ...

    def fetch(self, keys: Sequence[str], folder: Path) -> Sequence[Path]:
        """Return a local file for each of `keys`, in that order, for an engine to read.

        Files that are not local yet are downloaded side by side to their places under `folder`,
        which is the caller's to remove; the files returned are only to be read.
        Raises Damaged naming a key that is absent.
        """
        ...

    def arrow_filesystem(self) -> tuple[FileSystem, str]:
        """Return a filesystem of Arrow's and the path there that keys are relative to."""
        ...


class LocalFolderStore:
    """An object store in a folder: a temporary file, fsync, hard link, fsync of the folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._synced: set[Path] = set()

    def put(self, key: str, data: bytes) -> None:
        """Create `key` from `data`; see ObjectStore.put."""
        self._create(key, lambda file: file.write(data))

    def put_file(self, key: str, path: Path) -> None:
        """Create `key` from a local file; see ObjectStore.put_file."""
        with path.open("rb") as source:
            self._create(key, lambda file: shutil.copyfileobj(source, file, 1 << 20))

    def get(self, key: str) -> bytes:
        """Return the bytes of `key`; see ObjectStore.get."""
        return self._existing(key).read_bytes()

    def get_file(self, key: str, path: Path) -> None:
        """Copy `key` to a local file; see ObjectStore.get_file."""
        shutil.copyfile(self._existing(key), path)

    def stat(self, key: str) -> ObjectInfo | None:
        """Return size of `key`, or None; see ObjectStore.stat."""
        path = self._path(key)
        return ObjectInfo(key, path.stat().st_size) if path.is_file() else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield objects under `prefix` by key; see ObjectStore.list."""
        folder = self._root / prefix.rpartition("/")[0]
        paths = {
            path.relative_to(self._root).as_posix(): path
            for path in folder.rglob("*")
            if not path.name.endswith(".tmp") and path.is_file()
        }
        for key in sorted(paths):
            if key.startswith(prefix):
                yield ObjectInfo(key, paths[key].stat().st_size)

    def uri(self, key: str) -> str:
        """Return the absolute path of `key`."""
        return str(self._path(key))

    def read_table(self, keys: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of parquet objects; see ObjectStore.read_table."""
        wanted = None if columns is None else [*columns]
        tables = [_read_parquet(key, self._existing(key), wanted) for key in keys]
        return pa.concat_tables(tables) if tables else pa.table({})

    def fetch(self, keys: Sequence[str], folder: Path) -> Sequence[Path]:  # noqa: ARG002
        """Return the store's own files: they are local already; see ObjectStore.fetch."""
        return [self._existing(key) for key in keys]

    def arrow_filesystem(self) -> tuple[FileSystem, str]:
        """Return the local filesystem and the root; see ObjectStore.arrow_filesystem."""
        return LocalFileSystem(), str(self._root)

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*check_key(key))

    def _existing(self, key: str) -> Path:
        path = self._path(key)
        if not path.is_file():
            raise absent(key, self._root)
        return path

    def _create(self, key: str, write: Callable[[BinaryIO], object]) -> None:
        path = self._path(key)
        with operation("store.put"):
            self._make_folder(path.parent)
            temporary = path.with_name(f"{path.name}.{os.getpid()}-{next(_counter)}.tmp")
            try:
                _write_synced(temporary, write)
                self._link(temporary, path, key)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(path.parent)

    def _make_folder(self, folder: Path) -> None:
        """Create `folder`; it and those above it, up to the root's, are synced once a process.

        Also those that exist: a killed writer may have made them and not lived to sync them.
        """
        if folder in self._synced:
            return
        if folder == self._root:
            make_folder(folder.parent)
        else:
            self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)
        self._synced.add(folder)

    def _link(self, temporary: Path, path: Path, key: str) -> None:
        try:
            path.hardlink_to(temporary)  # unlike a rename, refuses to replace what is there
        except FileExistsError:
            if not filecmp.cmp(temporary, path, shallow=False):
                raise taken(key) from None
            _sync(path)  # a killed writer may have linked it before its bytes were safe


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _write_synced(path: Path, write: Callable[[BinaryIO], object]) -> None:
    with path.open("xb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _read_parquet(key: str, path: Path, columns: list[str] | None) -> pa.Table:
    # Not pq.read_table: it would read `run=...` in the path as a partition column.
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=columns)
    except pa.ArrowInvalid as error:
        raise Damaged(
            f"the object {key} is damaged: {error}",
            operation="read an object",
            subject=key,
            hint=Damaged.next_step,
        ) from error
