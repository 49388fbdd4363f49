"""A model of a power cut: only what was synced, under a name that was synced, survives.

Bytes are known by inode, so a file synced under one name and linked under another counts.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class PowerModel:
    """Watches `os.fsync`; what it did not see is lost."""

    sizes: dict[int, int] = field(default_factory=dict)
    names: dict[Path, set[str]] = field(default_factory=dict)

    @classmethod
    def watching(cls, monkeypatch: pytest.MonkeyPatch) -> "PowerModel":
        """Start to watch this process."""
        model = cls()
        fsync = os.fsync

        def watched(descriptor: int) -> None:
            fsync(descriptor)
            model.note(descriptor)

        monkeypatch.setattr(os, "fsync", watched)
        return model

    def note(self, descriptor: int) -> None:
        """Remember what the sync of an open file or folder made durable."""
        path, status = Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            self.names[path] = set(os.listdir(path))  # noqa: PTH208 - names, not paths
        else:
            self.sizes[status.st_ino] = status.st_size

    def believe(self, path: Path) -> None:
        """Take a file or folder, as it is, for durable."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            self.note(descriptor)
        finally:
            os.close(descriptor)

    def survives(self, path: Path, root: Path) -> bool:
        """Would the file, with all its bytes, be found under `root` after the cut?"""
        kept = self.kept_bytes(path, root)
        return kept is not None and kept == path.stat().st_size

    def kept_bytes(self, path: Path, root: Path) -> int | None:
        """Return how many bytes the cut leaves of a file, None when not even its name."""
        while_named = [path, *path.parents[: len(path.relative_to(root).parts) - 1]]
        named = all(p.name in self.names.get(p.parent, ()) for p in while_named)
        return self.sizes.get(path.stat().st_ino, 0) if named else None

    def cut(self, root: Path) -> int:
        """Do to the files under `root` what the cut would do; return how many it hit."""
        lost = [p for p in root.rglob("*") if p.is_file() and not self.survives(p, root)]
        for path in lost:
            os.truncate(path, 0)
        return len(lost)
