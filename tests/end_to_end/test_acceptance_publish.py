"""Earlier runs stay readable and can come back; two builds at once: one publishes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from acceptance_lake import pointers, star_of
from lakes import LakeUnderTest
from simulated import running
from star_difference import compare

from simulator.process import SimulatorProcess

ROOT = Path(__file__).resolve().parents[2]
LOCKED = 6
SECONDS = 60


@pytest.fixture
def source() -> Iterator[SimulatorProcess]:
    with running(games=400) as simulator:
        yield simulator


@pytest.fixture
def lake(source: SimulatorProcess, tmp_path: Path) -> LakeUnderTest:
    return LakeUnderTest(tmp_path / "lake", source.base_url)


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

    again = lake.must("etl")
    assert (again["published"], again["mode"]) == (True, "incremental")
    assert compare(star_of(lake), stars[2], ignore=()) == []
    assert [star_of(lake, at=run) for run in runs] == stars
    assert lake.broken() == []


@contextmanager
def _etl(lake: LakeUnderTest, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """Start `gamelake etl` in a process of its own."""
    command = [sys.executable, "-m", "gamelake", "etl", *argv, "--json"]
    environ = {**os.environ, **lake.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, env=environ, cwd=lake.home, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _stop_while_building(lake: LakeUnderTest, process: subprocess.Popen[str]) -> None:
    """Freeze a build as soon as its branch exists; the lease is its own then."""
    deadline = time.monotonic() + SECONDS
    with lake.open() as opened:
        while not any(name.startswith("etl-") for name in opened.catalog.references()):
            assert process.poll() is None, "the build ended before it could be frozen"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    process.send_signal(signal.SIGSTOP)


def _ended(process: subprocess.Popen[str]) -> dict[str, object]:
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, out
    told: dict[str, object] = json.loads(out)
    return told


def test_of_two_builds_at_once_one_publishes_and_the_other_is_told_so(
    lake: LakeUnderTest,
) -> None:
    lake.must("ingest")
    with _etl(lake) as first:
        _stop_while_building(lake, first)
        told = lake.run("etl")
        with _etl(lake, "--wait", str(SECONDS)) as patient:
            first.send_signal(signal.SIGCONT)
            one, other = _ended(first), _ended(patient)

    assert told.code == LOCKED
    assert (told.json["code"], bool(told.json["hint"])) == ("locked", True)
    assert (one["published"], one["mode"]) == (True, "full")
    assert (other["published"], other["mode"]) == (False, "none")
    assert len(star_of(lake)["fact_games"]) == 400
    assert lake.broken() == []
