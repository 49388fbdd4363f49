"""Files of the local warehouse, durable once they are closed.

pyiceberg's own FileIO leaves new files in the page cache, so after a power cut the catalog may
name an empty metadata file. Here closing a file syncs it and the folders that lead to it, and
only then does the catalog commit refer to it.
"""

import os
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from pyiceberg.io import InputFile, OutputFile, OutputStream
from pyiceberg.io.pyarrow import PyArrowFileIO
from typing_extensions import override

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
    """A binary stream whose `close` returns when the bytes are on the disk."""

    def __init__(self, path: Path, mode: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
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
            os.fsync(self._file.fileno())
            sync_names(self._path.parent)

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
        return _DurableStream(Path(self.location), "wb" if overwrite else "xb")


class FsyncFileIO(PyArrowFileIO):
    """pyiceberg FileIO (`py-io-impl`) for plain local paths; what is closed is durable."""

    @override
    def new_output(self, location: str) -> OutputFile:  # type: ignore[override]
        """Return a file whose stream syncs on close."""
        return _DurableOutput(location)

    @override
    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Keep the file: a run never deletes, since a lost answer may hide that it is live.

        Files that nothing refers to are removed by maintenance, which looks at every reference.
        """
