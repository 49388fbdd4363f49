"""Earlier runs stay readable and can come back; two builds at once: one publishes."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from acceptance_lake import pointers, star_of
from building import SECONDS, ended, etl, stop_while_building
from lakes import LakeUnderTest
from simulated import running
from star_difference import compare

from simulator.process import SimulatorProcess

LOCKED = 6


@pytest.fixture
def source() -> Iterator[SimulatorProcess]:
    with running(games=400) as simulator:
        yield simulator


@pytest.fixture(params=["embedded", pytest.param("stack", marks=pytest.mark.stack)])
def lake(source: SimulatorProcess, tmp_path: Path, request: pytest.FixtureRequest) -> LakeUnderTest:
    stack = request.param == "stack"
    settings = request.getfixturevalue("stack_settings") if stack else {}
    return LakeUnderTest(tmp_path / "lake", source.base_url, settings)


def elsewhere(lake: LakeUnderTest, home: Path) -> LakeUnderTest:
    """Return the lake as another machine has it: of the stack nothing local is shared."""
    return replace(lake, home=home) if lake.more else lake


def test_a_rollback_moves_every_table_and_the_next_etl_applies_what_came_later(
    source: SimulatorProcess, lake: LakeUnderTest
) -> None:
    stars, runs = [], []
    for step in range(3):
        source.control.churn(20, seed=step)
        runs.append(lake.must("run")["etl"]["run_id"])
        stars.append(star_of(lake))
    heads = pointers(lake)
    back = lake.must("rollback", runs[0], "--yes")
    rolled_back = star_of(lake)
    tables = {name: now for name, now in pointers(lake).items() if name.endswith("@")}

    assert stars[0] != stars[1] != stars[2]
    assert back["changed"]
    assert rolled_back == stars[0]
    assert tables.keys() == {name for name in heads if name.endswith("@")}
    assert lake.broken() == []
    assert [star_of(lake, at=run) for run in runs] == stars
    assert [star_of(lake, at=f"run-{run}") for run in runs] == stars
    assert [games_at(lake, run) for run in runs] == [len(star["fact_games"]) for star in stars]

    again = lake.must("etl")
    assert (again["published"], again["mode"]) == (True, "incremental")
    assert compare(star_of(lake), stars[2], ignore=()) == []
    assert [star_of(lake, at=run) for run in runs] == stars
    assert lake.broken() == []


def games_at(lake: LakeUnderTest, run: str) -> int:
    """Return how many games `sql --at` sees."""
    told = lake.run("sql", "SELECT count(*) AS n FROM games.fact_games", "--at", run)
    assert told.code == 0, told.err
    found: int = json.loads(told.out)[0]["n"]
    return found


def test_of_two_builds_at_once_one_publishes_and_the_other_is_told_so(
    lake: LakeUnderTest, tmp_path: Path
) -> None:
    other_host = elsewhere(lake, tmp_path / "elsewhere")
    lake.must("ingest")
    with etl(lake) as first:
        stop_while_building(lake, first)
        told = other_host.run("etl")
        with etl(other_host, "--wait", str(SECONDS)) as patient:
            first.send_signal(signal.SIGCONT)
            one, other = ended(first), ended(patient)

    assert told.code == LOCKED
    assert (told.json["code"], bool(told.json["hint"])) == ("locked", True)
    assert (one["published"], one["mode"]) == (True, "full")
    assert (other["published"], other["mode"]) == (False, "none")
    assert len(star_of(lake)["fact_games"]) == 400
    assert lake.broken() == []
