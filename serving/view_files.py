"""The curated views: one SQL file each, its header comment is its documentation.

A view reads star tables and other views by bare names, each right after FROM or JOIN. DuckDB
finds them by its search path; for Dremio `serving.dremio_text` puts path and `AT BRANCH` around
exactly those names.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from importlib.resources import files

from utils.errors import GamelakeError

_REFERENCE = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_][a-z0-9_]*)", re.IGNORECASE)
_HEADER = re.compile(
    r"^-- (Grain|Question|Trap): (.+?)(?=^-- \w+: |^[^-])", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class View:
    """One curated view; `sql` is the whole file, a single SELECT under its header comment."""

    name: str
    sql: str

    @cached_property
    def header(self) -> dict[str, str]:
        """Return grain, question and trap, each on one line."""
        found = _HEADER.findall(self.sql)
        return {key.lower(): " ".join(text.replace("\n--", " ").split()) for key, text in found}

    @cached_property
    def references(self) -> frozenset[str]:
        """Return the bare names that follow FROM or JOIN, `WITH` names included."""
        code = re.sub(r"--[^\n]*", "", self.sql)
        return frozenset(name.lower() for name in _REFERENCE.findall(code))


def load_views() -> list[View]:
    """Return every view, each after the views that it reads.

    Raises GamelakeError when the package carries no views.
    """
    folder = files("serving") / "views"
    found = [
        View(entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    if not found:
        raise GamelakeError(
            "the curated views are missing from this installation",
            operation="load views",
            subject=str(folder),
            hint="install gamelake again",
        )
    by_name = {view.name: view for view in sorted(found, key=lambda view: view.name)}
    graph = {name: view.references & by_name.keys() - {name} for name, view in by_name.items()}
    return [by_name[name] for name in TopologicalSorter(graph).static_order()]
