"""Where a lake under test lives: how its state is kept, put back, and what settings lead to it."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class LakePlace(Protocol):
    """One lake's whole state, local and on servers. `home` is its GAMELAKE_HOME."""

    home: Path

    def settings(self) -> Mapping[str, str]:
        """Return the variables that lead to it, GAMELAKE_HOME apart."""

    def is_made(self) -> bool:
        """Return whether a command has begun to make a lake there."""

    def save(self, name: str) -> None:
        """Keep the state as `name`."""

    def restore(self, name: str) -> None:
        """Put the state of `name` back; nothing at all where none was kept."""


class FolderPlace:
    """A lake of the embedded profile: a folder is all of it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def settings(self) -> Mapping[str, str]:
        return {}

    def is_made(self) -> bool:
        return (self.home / "store.db").is_file()

    def save(self, name: str) -> None:
        if self.home.is_dir():
            shutil.copytree(self.home, self._kept(name))

    def restore(self, name: str) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        if self._kept(name).is_dir():
            shutil.copytree(self._kept(name), self.home)

    def _kept(self, name: str) -> Path:
        return self.home.with_name(name)
