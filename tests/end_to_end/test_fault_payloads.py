"""5,000 broken payloads through a whole run: contracts/reliability.md, test 13, invariant I6."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from lakes import LakeUnderTest
from mutator import mutant
from simulated import pages, running
from star_tables import read_star
from truth import stored_ids

from simulator.server import SimulatorProcess
from storage.layout import GAMES, QUARANTINE, SOURCE_RAWG
from storage.raw_parts import Manifest, RawPart, list_parts

pytestmark = pytest.mark.crash
GAMES_SERVED = 5_000
PAGE = 40
COMPLETE, INCOMPLETE = 0, 8


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("strategy", ["dates", pytest.param("browse", marks=pytest.mark.nightly)])
def test_every_broken_row_is_stored_or_quarantined(memory_folder: Path, strategy: str) -> None:
    with running(games=GAMES_SERVED, seed=11) as source:
        served = break_rows(source, random.Random(strategy))
        lake = LakeUnderTest(memory_folder / f"payloads-{strategy}" / "lake", source.base_url)
        told = lake.run("ingest", "--strategy", strategy)
    # Two rows that claim one id are one game, and then the source's count is not reached.
    assert told.code == (INCOMPLETE if repeated_ids(served) else COMPLETE), told.err
    assert lake.broken() == []
    parts, spoilt = manifests(lake, GAMES), manifests(lake, QUARANTINE)
    assert all(is_accounted_for(manifest) for manifest in parts)
    assert rows_by_page(parts) >= GAMES_SERVED
    quarantined = sum(manifest.quarantined for manifest in parts)
    assert sum(manifest.rows for manifest in spoilt) == quarantined > 1_000
    lake.must("etl")
    with lake.open() as opened:
        published = read_star(opened)["fact_games"]["game_id"].to_pylist()
    assert sorted(published) == sorted(stored_ids(lake))
    assert len(published) > 1_000


def break_rows(source: SimulatorProcess, dice: random.Random) -> list[bytes]:
    """Serve a mutant in the place of every game."""
    found = pages(source, ordering="created", page_size=PAGE)
    rows = [row for page in found for row in page["results"]]
    served = [mutant(dice, row) for row in rows]
    for row, text in zip(rows, served, strict=True):
        source.control.raw(row["id"], text)
    return served


def repeated_ids(served: list[bytes]) -> bool:
    ids = Counter(filter(None, map(whole_id, served)))
    return max(ids.values()) > 1


def whole_id(text: bytes) -> int | None:
    """Return the id that a row claims, where there is one."""
    try:
        row = json.loads(text)
    except ValueError:
        return None
    found = row.get("id") if isinstance(row, dict) else None
    return found if type(found) is int and 0 < found < 2**63 else None


def manifests(lake: LakeUnderTest, entity: str) -> list[Manifest]:
    return [part.manifest for part in every_part(lake, entity)]


def every_part(lake: LakeUnderTest, entity: str) -> Iterator[RawPart]:
    with lake.open() as opened:
        yield from list_parts(opened.raw, SOURCE_RAWG, entity)


def is_accounted_for(manifest: Manifest) -> bool:
    seen = sum(page.rows for page in manifest.pages)
    stored = manifest.new + manifest.changed + manifest.enriched
    return seen == stored + manifest.unchanged + manifest.quarantined


def rows_by_page(parts: list[Manifest]) -> int:
    """Return the rows of every page, each page once."""
    rows = {(page.window, page.page): page.rows for part in parts for page in part.pages}
    return sum(rows.values())
