"""Listings that are suddenly shorter, or empty, with status 200: contracts/reliability.md 12.

Whatever the source stops saying, nothing leaves the star; and a delta over a source that lost more
than ten games and a tenth of them does not call itself complete.
"""

import shutil
from collections.abc import Callable, Iterator

import pytest
from lakes import LakeUnderTest, Told
from simulated import running

from simulator.server import SimulatorProcess
from storage.layout import FACT_SOURCE_YEARS, MAIN

pytestmark = pytest.mark.crash
COMPLETE, INCOMPLETE = 0, 8
GAMES, PAGE = 220, 40
PARTS, SHAPES_A_PART = 4, 25
COMMANDS = (("ingest",), ("ingest", "--full"))


@pytest.fixture(scope="module")
def source() -> Iterator[SimulatorProcess]:
    with running(games=GAMES, seed=3) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def published(source: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> LakeUnderTest:
    """A lake with every game, published."""
    lake = LakeUnderTest(tmp_path_factory.mktemp("shrink") / "lake", source.base_url)
    lake.must("run")
    shutil.copytree(lake.home, lake.home.with_name("kept"))
    return lake


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("part", range(PARTS))
def test_a_listing_that_shrinks_takes_nothing_from_the_star(
    published: LakeUnderTest,
    source: SimulatorProcess,
    part: int,
    record_property: Callable[[str, object], None],
) -> None:
    lengths = range(1 + 2 * part, GAMES, 2 * PARTS)[:SHAPES_A_PART]
    found = []
    for lost in lengths:
        command = COMMANDS[lost // 2 % len(COMMANDS)]
        told = shortened(published, source, lost, *command)
        if told.code not in (COMPLETE, INCOMPLETE):
            found.append(f"{lost} lost, {command}: exit {told.code}: {told.err}")
        if command == ("ingest",) and (told.code == COMPLETE) is (lost > GAMES // 10):
            found.append(f"{lost} lost: a delta ends with {told.code}")
        found += [f"{lost} lost, {command}: {p}" for p in damages(published)]
    assert found == []
    record_property("counted shrunken listings", len(lengths))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_empty_listing_takes_nothing_from_the_star(
    published: LakeUnderTest, source: SimulatorProcess, command: tuple[str, ...]
) -> None:
    source.control.lie(empty_listing=True)
    told = fresh(published).run(*command)
    source.control.lie()

    assert told.code == INCOMPLETE, told.err
    assert damages(published) == []
    assert published.must("ingest", "--full")["complete"]


@pytest.mark.usefixtures("quick")
def test_a_held_delta_freezes_no_later_one(
    published: LakeUnderTest, source: SimulatorProcess
) -> None:
    """While the source lists less, each delta brings its changes; then one is complete again."""
    lake, runs = fresh(published), set[str]()
    source.control.lie(count_lie=-60)
    for day in range(3):
        source.control.advance(86_400)
        source.control.change(1 + day, added=9_000 + day)
        told = lake.run("ingest")
        assert told.code == INCOMPLETE, told.err
        assert told.json["games_changed"] == 1
        runs.add(told.json["run_id"])
    assert len(runs) == 3

    source.control.lie()
    source.control.advance(86_400)
    source.control.change(9, added=9_009)
    last = lake.must("ingest")

    assert (last["complete"], last["games_changed"]) == (True, 1)
    assert lake.must("ingest")["games_changed"] == 0
    lake.must("etl")
    assert lake.broken() == []


def fresh(lake: LakeUnderTest) -> LakeUnderTest:
    shutil.rmtree(lake.home)
    shutil.copytree(lake.home.with_name("kept"), lake.home)
    return lake


def shortened(lake: LakeUnderTest, source: SimulatorProcess, lost: int, *command: str) -> Told:
    """Run `command` on a fresh copy while every listing is `lost` games shorter and says so."""
    pages = -(-(GAMES - lost) // PAGE)
    source.control.lie(count_lie=-lost, end_page=pages + 1)
    told = fresh(lake).run(*command)
    source.control.lie()
    return told


def damages(lake: LakeUnderTest) -> list[str]:
    """Return what is wrong after the next etl, which had nothing to publish of any game."""
    before = snapshots(lake)
    told = lake.run("etl")
    moved = [f"{name} has changed" for name, now in snapshots(lake).items() if now != before[name]]
    problems = [f"etl ends with {told.code}: {told.err}"] if told.code else []
    return problems + moved + lake.broken()


def snapshots(lake: LakeUnderTest) -> dict[str, int]:
    """Return the state of each table but the one that repeats how many games the source counts."""
    with lake.open() as opened:
        tables = opened.catalog.pin(MAIN).tables
        return {n: t.snapshot_id for n, t in tables.items() if n != FACT_SOURCE_YEARS}
