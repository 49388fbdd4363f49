"""Recorded pages, look-ups and other versions, read where they lie; nothing is copied.

Layout as recorded: `<dir>/*.json.gz` (or .json) browse pages; beside the folder `lookups/*.json`
and `other_versions.jsonl.gz` with `{snapshot, shape, game}` lines.
"""

import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path

from simulator.vocabulary import Row
from utils.errors import UsageError

_LOOKUPS = ("genres", "stores", "platforms", "parent-platforms", "tags")


@dataclass(frozen=True)
class Recording:
    """`versions[id]` are the list-shaped versions of a game, oldest snapshot first."""

    rows: list[Row]
    lookups: dict[str, list[Row]] = field(default_factory=dict)
    versions: dict[int, list[Row]] = field(default_factory=dict)


def load_recording(folder: Path) -> Recording:
    """Read a folder of recorded pages; raises UsageError when it holds none."""
    rows: dict[int, Row] = {}
    for path in sorted(folder.glob("*.json*")):
        for row in json.loads(_read(path))["results"]:
            rows.setdefault(row["id"], row)
    if not rows:
        raise UsageError(
            f"no recorded page (*.json, *.json.gz) in {folder}",
            operation="replay recorded pages",
            subject=str(folder),
            hint="point --replay at a folder of recorded /api/games pages",
        )
    ordered = [rows[ident] for ident in sorted(rows)]
    return Recording(ordered, _lookups(folder.parent), _versions(folder.parent, rows))


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def _lookups(folder: Path) -> dict[str, list[Row]]:
    paths = {name: folder / "lookups" / f"{name}.json" for name in _LOOKUPS}
    return {
        name: json.loads(path.read_bytes())["results"]
        for name, path in paths.items()
        if path.is_file()
    }


def _versions(folder: Path, known: dict[int, Row]) -> dict[int, list[Row]]:
    path = folder / "other_versions.jsonl.gz"
    if not path.is_file():
        return {}
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    listed = [v for v in lines if v["shape"] == "list_shape" and v["game"]["id"] in known]
    versions: dict[int, list[Row]] = {}
    for version in sorted(listed, key=lambda v: str(v["snapshot"]).rpartition("_")[2]):
        versions.setdefault(version["game"]["id"], []).append(version["game"])
    return versions
