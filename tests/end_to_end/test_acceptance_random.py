"""Any sequence of what users and sources do: in the end the star is what the source serves."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acceptance_lake import rebuilt_elsewhere, star_of
from acceptance_served import every_row
from lakes import LakeUnderTest, hurry
from simulated import running
from star_difference import compare

from simulator.process import SimulatorProcess

GAMES, STEPS = 500, 14
QUOTA, INCOMPLETE = 4, 8
SETTINGS = {"RAWG_DEPTH_LIMIT": "100", "RAWG_WORKERS": "3", "RAWG_TIMEOUT_S": "1"}
INGESTS = (
    ["ingest"],
    ["ingest"],
    ["ingest", "--limit", "70"],
    ["ingest", "--from", "2015-01", "--to", "2019-12"],
    ["ingest", "--full"],
    ["ingest", "--full", "--strategy", "browse"],
)


class Walk:
    """A source and a lake; each step does one thing to either."""

    def __init__(self, source: SimulatorProcess, home: Path, seed: int) -> None:
        self.source, self.control = source, source.control
        self.lake = LakeUnderTest(home, source.base_url, SETTINGS)
        self.draw = random.Random(seed)
        self.gone: set[int] = set()
        self.spoilt: set[int] = set()
        self.seen: set[int] = set()
        self.published: list[str] = []
        self.log: list[str] = []

    def step(self) -> None:
        """Do one thing, whatever comes of it."""
        does: Callable[[], object] = self.draw.choice(
            [self._owners, self._silently, self._moves, self._comes, self._goes, self._spoils]
            + 2 * [self._ingest, self._build]
            + [self._short_of_quota, self._in_a_storm, self._back]
        )
        self.log.append(f"{does.__name__} -> {does()}")

    def _any(self) -> int:
        ident: int = self.draw.choice(every_row(self.source))["id"]
        return ident

    def _owners(self) -> object:
        return len(self.control.churn(self.draw.randint(1, 60), seed=self.draw.randint(1, 999)))

    def _silently(self) -> object:
        return self.control.change(self._any(), touch=False, playtime=self.draw.randint(1, 99))

    def _moves(self) -> object:
        day = self.draw.choice(
            [None, f"20{self.draw.randint(10, 24)}-0{self.draw.randint(1, 9)}-03"]
        )
        return self.control.change(self._any(), released=day)

    def _comes(self) -> object:
        return self.control.add(name="Newcomer", released=self.draw.choice([None, "2018-08-08"]))

    def _goes(self) -> object:
        ident = self._any()
        self.control.remove([ident])
        return self.gone.add(ident)

    def _spoils(self) -> object:
        row = self.draw.choice(every_row(self.source))
        self.control.raw(row["id"], json.dumps(row | {"playtime": "long"}).encode())
        return self.spoilt.add(row["id"])

    def mend(self) -> None:
        """Let every row be one that can be typed."""
        for ident in self.spoilt - self.gone:
            self.control.change(ident, playtime=7)

    def _ingest(self, *allowed: int) -> object:
        argv = self.draw.choice(INGESTS)
        told = self.lake.run(*argv)
        assert told.code in (0, *allowed), (argv, told.out, told.err, self.log)
        return argv, told.code

    def _build(self) -> object:
        if not (self.lake.home / "raw").is_dir():
            return "no lake"
        told = self.lake.must("etl", *self.draw.choice([[], ["--full"]]))
        if told["published"]:
            self.published.append(told["run_id"])
        return told["mode"]

    def _short_of_quota(self) -> object:
        self.control.reset_quota()
        self.control.set(quota=self.draw.randint(1, 40))
        told = self._ingest(QUOTA)
        self.control.set(quota=0)
        return told

    def _in_a_storm(self) -> object:
        self.control.faults("storm", seed=self.draw.randint(1, 999))
        told = self._ingest(INCOMPLETE)
        self.control.faults("none")
        return told

    def _back(self) -> object:
        if not self.published:
            return "nothing to go back to"
        return self.lake.must("rollback", self.draw.choice(self.published), "--yes")["reference"]


def _facts(rows: list[dict[str, Any]], names: tuple[str, ...]) -> dict[int, tuple[Any, ...]]:
    return {row[names[0]]: tuple(str(row[name]) for name in names[1:]) for row in rows}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def crawl_in_full(lake: LakeUnderTest) -> None:
    """Ask once; twice when that only ended an older crawl, which does not read its pages again."""
    with lake.open() as opened, opened.database.reading() as unit:
        known = {run.run_id for run in unit.runs.list(1_000, "ingest")}
    if lake.must("ingest", "--full")["run_id"] in known:
        lake.must("ingest", "--full")


SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(3, 60))]


@pytest.mark.parametrize("seed", SEEDS)
def test_after_any_sequence_one_full_crawl_gives_what_the_source_serves(
    seed: int, tmp_path: Path
) -> None:
    """And what was built step by step equals a rebuild; games that went away stay, if ever read."""
    with running(games=GAMES, depth_limit=100) as source:
        walk = Walk(source, tmp_path / "lake", seed)
        for _ in range(STEPS):
            walk.step()
        walk.mend()
        crawl_in_full(walk.lake)
        walk.lake.must("etl")
        star = star_of(walk.lake)
        found = _facts(
            star["fact_games"], ("game_id", "added_count", "playtime_hours", "released_on")
        )
        served = _facts(every_row(source), ("id", "added", "playtime", "released"))

        assert {ident: found.get(ident) for ident in served} == served, walk.log
        assert found.keys() - served.keys() <= walk.gone
        rebuilt = rebuilt_elsewhere(walk.lake, tmp_path / "rebuilt")
        assert compare(star_of(rebuilt), star, ignore=()) == [], walk.log
        assert walk.lake.broken() == []
