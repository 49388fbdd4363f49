"""Folders for what a process needs on disk only while it works."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

_PREFIX = "work-"


class ScratchFolder:
    """A folder of this process alone below `root`, made when first asked for, gone when closed.

    A killed process leaves its folder; whoever makes the next one below the same root removes it.
    A lock on the folder tells which ones are in use, also from other containers.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held: tuple[Path, int] | None = None

    @property
    def path(self) -> Path:
        """The folder."""
        if self._held is None:
            self._root.mkdir(parents=True, exist_ok=True)
            _sweep(self._root)
            self._held = _make(self._root)
        return self._held[0]

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        if self._held is not None:
            path, lock = self._held
            self._held = None
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _make(root: Path) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=root))
        lock = _lock(path)
        if lock is not None and path.exists():
            return path, lock
        if lock is not None:  # another process swept it before we had the lock
            os.close(lock)


def _sweep(root: Path) -> None:
    for path in root.glob(f"{_PREFIX}*"):
        lock = _lock(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _lock(path: Path) -> int | None:
    """Return a descriptor that locks the folder; None when it is in use, or gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
