"""Copies of a lake as a power cut after each commit would leave it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lakes import LakeUnderTest, hurried
from power_loss import PowerModel

from utils import seams

_COMMITS = ("db.", "catalog.")


@dataclass
class PowerCuts:
    """While it watches, every commit leaves a copy of `home`: what would survive a cut then.

    SQLite syncs its own files (synchronous is FULL): they are copied as committed.
    """

    home: Path
    folder: Path
    power: PowerModel
    commits: list[str] = field(default_factory=list)

    @classmethod
    def watching(cls, home: Path, folder: Path, patch: pytest.MonkeyPatch) -> "PowerCuts":
        """Start to watch this process; what is there already is durable."""
        cuts = cls(home, folder, PowerModel.watching(patch))
        for path in [home, *home.rglob("*")] if home.is_dir() else []:
            cuts.power.believe(path)
        patch.setattr(seams, "_gate", cuts._gate)
        return cuts

    def _gate(self, when: str, name: str, ordinals: tuple[int, int]) -> None:
        if when == "after" and name.startswith(_COMMITS):
            copy = self.folder / str(len(self.commits))
            for path in sorted(self.home.rglob("*")):
                self._copy(path, copy / path.relative_to(self.home))
            self.commits.append(f"{name} #{ordinals[1]}")

    def _copy(self, path: Path, to: Path) -> None:
        if path.suffix == ".db":
            to.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(to)) as copy:
                source.backup(copy)
        elif path.is_file() and not path.name.endswith((".db-wal", ".db-shm")):
            kept = self.power.kept_bytes(path, self.home)
            if kept is not None:
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(path.read_bytes()[:kept])


def watched(lake: LakeUnderTest, folder: Path, *argv: str) -> dict[str, Any]:
    """Run a command in a child of `crash.run`; leave copies of its cuts in `folder`.

    In a child, because to the copies the process that wrote them must be gone.
    """
    with pytest.MonkeyPatch.context() as patch:
        cuts = PowerCuts.watching(lake.home, folder, patch)
        told = hurried(lake, *argv)
    return {**told, "commits": cuts.commits}
