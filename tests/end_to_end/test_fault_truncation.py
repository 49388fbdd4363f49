"""Listings that end early, lie about their size or repeat themselves: contracts/reliability.md 8.

Either every game is found, or the run says that it is incomplete and the next one finds them. Bad
rows stand among the others: however often one is read, it must not pass for a game that is missing.
"""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from acceptance_served import every_row, undated_rows
from lakes import LakeUnderTest
from simulated import running
from truth import listed_ids, stored_ids, watermark

from simulator.server import SimulatorProcess

pytestmark = pytest.mark.crash
COMPLETE, INCOMPLETE = 0, 8
SHARES, SHAPES_A_SHARE = 10, 22
GAMES, UNDATED = 425, 42
STRATEGIES = ("dates", "browse")
Shape = dict[str, Any]


def truncated_shape(dice: random.Random) -> Shape:
    """Return how a listing is wrong: in one way, or in two at once, which may hide each other."""
    return {key: value for _ in range(dice.randint(1, 2)) for key, value in _lie(dice).items()}


def _lie(dice: random.Random) -> Shape:
    """Return one way in which a listing can be wrong; `depth` is a hidden limit."""
    ways: list[Shape] = [
        {"depth": dice.randint(40, 300)},
        {"page_cap": dice.randint(5, 39)},
        {"end_page": dice.randint(1, 9)},
        {"null_next_page": dice.randint(1, 9)},
        {"repeat_page": dice.randint(1, 9)},
        {"next_error_page": dice.randint(1, 9)},
        {"count_lie": dice.choice([-1, 1]) * dice.randint(1, 60)},
        {"empty_listing": True},
    ]
    chosen: Shape = {"match": dice.choice(["", "", "dates=", "ordering=released"])}
    return chosen | dice.choice(ways)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("share", range(SHARES))
def test_no_listing_is_cut_short_in_silence(
    memory_folder: Path, share: int, record_property: Callable[[str, object], None]
) -> None:
    dice, found = random.Random(share), []
    with running(games=GAMES, seed=share) as source:
        listed = with_bad_rows(source)
        for number in range(SHAPES_A_SHARE):
            shape, strategy = truncated_shape(dice), dice.choice(STRATEGIES)
            lake = LakeUnderTest(memory_folder / f"cut-{share}-{number}" / "lake", source.base_url)
            problems = cut_and_heal(source, lake, shape, strategy, listed=listed)
            found += [f"{strategy} {shape}: {problem}" for problem in problems]
    assert found == []
    record_property("counted truncation shapes", SHAPES_A_SHARE)


def with_bad_rows(source: SimulatorProcess) -> set[int]:
    """Let few undated games stand on a second page; spoil one of them and a dated one.

    Returns the ids of all others.
    """
    undated = undated_rows(source, UNDATED)[0]
    dated = next(row for row in every_row(source) if row["released"])
    listed = listed_ids(source)
    for row, spoilt in ((undated, {"playtime": "long"}), (dated, {"id": "none"})):
        source.control.raw(row["id"], json.dumps(row | spoilt).encode())
    return listed - {undated["id"], dated["id"]}


def cut_and_heal(
    source: SimulatorProcess, lake: LakeUnderTest, shape: Shape, strategy: str, *, listed: set[int]
) -> Iterator[str]:
    lies = {name: value for name, value in shape.items() if name != "depth"}
    source.control.set(depth_limit=shape.get("depth", 10_000))
    source.control.lie(**lies)
    told = lake.run("ingest", "--strategy", strategy)
    source.control.set(depth_limit=10_000)
    source.control.lie()
    # A source that says it is empty, everywhere and from the start, cannot be known to lie.
    believed = shape.get("empty_listing", False) and shape["match"] == ""
    if (lake.home / "store.db").is_file() and not believed:
        yield from silences(lake, told.code, told.out, listed=listed)
    healed = lake.run("ingest", *(["--strategy", strategy] if told.code else ["--full"]))
    if healed.code or stored_ids(lake) != listed:
        yield f"the next run ends with {healed.code}: {healed.err}"
    yield from lake.broken()


def silences(lake: LakeUnderTest, code: int, out: str, *, listed: set[int]) -> Iterator[str]:
    lost = len(listed - stored_ids(lake))
    if code not in (COMPLETE, INCOMPLETE):
        yield f"exit code {code}: {out}"
    if code == COMPLETE and (lost or '"complete": true' not in out):
        yield f"{lost} games are lost in silence"
    if code == INCOMPLETE and watermark(lake) is not None:
        yield "the watermark moved past what is missing"
