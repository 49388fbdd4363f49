"""The recorded other versions, one per game and step: deltas see exactly those, and lose none."""

from pathlib import Path

import pytest
from acceptance_lake import raw_ids, rebuilt_elsewhere, star_of
from acceptance_served import (
    changed_pages,
    dated_pages,
    lookup_pages,
    newest_update,
    undated_pages,
    year_pages,
)
from lakes import LakeUnderTest
from oracle import MEASURES, Oracle, Row
from simulated import running
from star_difference import compare

from simulator.process import SimulatorProcess

pytestmark = pytest.mark.recorded
STEPS = 4  # the most versions of listing shape that were recorded of one game
OURS = frozenset({"observed_at", "payload_hash"})
SOURCE_FIELD = {
    "added_count": "added",
    "metacritic_score": "metacritic",
    "playtime_hours": "playtime",
}


class Walk:
    """A lake that follows a source step by step, beside an oracle that is told what it serves."""

    def __init__(self, source: SimulatorProcess, home: Path) -> None:
        self.source = source
        self.lake = LakeUnderTest(home, source.base_url)
        self.run: str = self.lake.must("ingest")["run_id"]
        self.oracle = Oracle().feed(lookup_pages(source, self.run))
        self.oracle.feed(dated_pages(source, self.run)).feed(undated_pages(source, self.run))
        self.lake.must("etl")

    def step(self) -> tuple[set[int], set[int]]:
        """Let the source change and follow it: games that changed, games whose measures did."""
        since = newest_update(self.source)
        changed = set(self.source.control.step())
        moved = {ident for ident in changed if self._has_moved(ident)}
        report = self.lake.must("ingest")
        self.run = report["run_id"]
        self.oracle.feed(changed_pages(self.source, self.run, since=since))
        self.oracle.feed(year_pages(self.source, self.run))
        assert (report["scope"], report["complete"]) == ("delta", True)
        assert (report["games_changed"], report["games_new"]) == (len(changed), 0)
        return changed, moved

    def _has_moved(self, ident: int) -> bool:
        before, now = self.oracle.games[ident].stored[-1][1], self.source.control.row(ident)
        return _measures(before) != _measures(now)


def _measures(row: Row) -> list[object]:
    return [row[SOURCE_FIELD.get(name, name)] for name in MEASURES]


def _history_of(star: dict[str, list[Row]], run: str) -> list[int]:
    return sorted(row["game_id"] for row in star["fact_game_history"] if row["run_id"] == run)


def test_each_step_changes_exactly_its_games_and_deltas_equal_a_rebuild(
    recorded_data: Path, tmp_path: Path
) -> None:
    with running(replay=recorded_data / "rawg/pages") as source:
        walk = Walk(source, tmp_path / "deltas")
        for number in range(STEPS):
            changed, moved = walk.step()
            built = walk.lake.must("etl")
            star = star_of(walk.lake)
            rebuilt = rebuilt_elsewhere(walk.lake, tmp_path / f"rebuilt-{number}")

            assert changed
            assert raw_ids(walk.lake, walk.run) == changed
            assert (built["published"], built["mode"]) == (True, "incremental")
            assert _history_of(star, walk.run) == sorted(moved)
            assert compare(star, walk.oracle.star(), ignore=OURS) == []
            assert compare(star_of(rebuilt), star, ignore=()) == []
        assert source.control.step() == []
        assert source.control.state()["versions_left"] == 0
        assert walk.lake.must("ingest")["games_changed"] == 0
        assert walk.lake.must("etl")["mode"] == "none"
        assert walk.lake.broken() == []
