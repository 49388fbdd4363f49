"""A source that changes while it is read: rows move between pages, and none is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from acceptance_lake import raw_ids, star_of
from acceptance_served import every_row, newest_update
from lakes import LakeUnderTest
from simulated import running

from simulator.process import SimulatorProcess

GAMES = 2_500
SETTINGS = {"RAWG_WORKERS": "4", "RAWG_DEPTH_LIMIT": "500"}


def _facts(lake: LakeUnderTest) -> dict[int, tuple[Any, ...]]:
    """Return what the star says of each game that changes here."""
    rows = star_of(lake)["fact_games"]
    return {r["game_id"]: (r["added_count"], r["source_updated_at"].isoformat()) for r in rows}


def _served(source: SimulatorProcess) -> dict[int, tuple[Any, ...]]:
    return {row["id"]: (row["added"], row["updated"]) for row in every_row(source)}


@pytest.mark.parametrize("strategy", ["dates", "browse"])
def test_owners_that_come_while_it_crawls_move_rows_and_hide_none(
    strategy: str, tmp_path: Path
) -> None:
    """Every answer gives ten games one owner more; `updated` stands still."""
    with running(games=GAMES, drift=10, depth_limit=500) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, SETTINGS)
        report = lake.must("ingest", "--strategy", strategy)
        source.control.set(drift=0)
        full = lake.must("ingest", "--full", "--strategy", strategy)
        lake.must("etl")

        assert report["complete"]
        assert report["games_seen"] == GAMES
        assert full["games_changed"] > 0
        assert _facts(lake) == _served(source)
        assert lake.broken() == []


@contextmanager
def _busy(source: SimulatorProcess) -> Iterator[None]:
    """Let games change, come and move to the front all the while."""
    done = threading.Event()

    def change() -> None:
        seed = 0
        while not done.is_set():
            seed += 1
            source.control.churn(25, seed=seed)
            if seed % 5 == 0:
                source.control.add(name=f"Newcomer {seed}", released=f"20{seed % 20 + 10}-06-01")
            if seed % 7 == 0:
                source.control.add(name=f"Undated {seed}", released=None)
            done.wait(0.01)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("strategy", ["dates", "browse"])
def test_what_changes_while_it_is_read_is_in_the_next_delta(strategy: str, tmp_path: Path) -> None:
    """The watermark is asked for before the crawl: what came later is newer than that."""
    with running(games=GAMES, depth_limit=500) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, SETTINGS)
        before = newest_update(source)
        with _busy(source):
            lake.must("ingest", "--strategy", strategy)
            for _ in range(3):
                lake.must("run")
        last = lake.must("run")

        assert newest_update(source) > before
        assert last["ingest"]["scope"] == "delta"
        assert raw_ids(lake) == {row["id"] for row in every_row(source)}
        assert _facts(lake) == _served(source)
        assert lake.must("run")["etl"]["mode"] == "none"
        assert lake.broken() == []
