"""What the source really lists, and what raw really holds of it."""

from collections.abc import Iterator
from pathlib import Path

from lakes import LakeUnderTest
from simulated import pages

from simulator.server import SimulatorProcess
from storage.layout import GAMES, SOURCE_RAWG, WATERMARK
from storage.raw_parts import list_parts


def listed_ids(simulator: SimulatorProcess) -> set[int]:
    """Return the id of every game that an honest source lists."""
    found = pages(simulator, ordering="created", page_size=40)
    return {row["id"] for page in found for row in page["results"]}


def stored_ids(lake: LakeUnderTest) -> set[int]:
    """Return the id of every game that raw holds."""
    with lake.open() as opened:
        keys = [part.key for part in list_parts(opened.raw, SOURCE_RAWG, GAMES)]
        rows = opened.raw.read_table(keys, ["id"])
    return set(rows["id"].to_pylist()) if keys else set()


def watermark(lake: LakeUnderTest) -> str | None:
    """Return how far the lake believes to have read its source."""
    if not (lake.home / "store.db").is_file():
        return None
    with lake.open() as opened, opened.database.reading() as unit:
        return unit.state.get(WATERMARK)


def files_of(home: Path) -> Iterator[Path]:
    """Yield every file of a lake."""
    return (path for path in home.rglob("*") if path.is_file())
