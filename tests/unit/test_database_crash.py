"""Work that dies or fails at any operation, once or for ever, is finished by the next call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import crash
import pytest
from database_fixtures import NewUrl
from storage_scenarios import PAGES, SCOPE, WINDOWS, game_id, small_ingest

from storage.database.session import Database
from storage.object_store import LocalFolderStore
from storage.raw_parts import list_parts, part_problems
from storage.rebuild import rebuild_ledger
from utils.seams import Fault

EVERY_ID = sorted(game_id(window, page) for window in WINDOWS for page in PAGES)


@dataclass(frozen=True)
class Lab:
    """A raw folder and the address of its operational store."""

    home: Path
    url: str


NewLab = Callable[[str], Lab]


@pytest.fixture
def new_lab(tmp_path: Path, new_url: NewUrl) -> NewLab:
    return lambda name: Lab(tmp_path / name, new_url())


def check(lab: Lab) -> None:
    """What is known is durable, whenever one looks."""
    store = LocalFolderStore(lab.home / "raw")
    parts = {part.key: part for part in list_parts(store, "rawg", "games")}
    assert [line for part in parts.values() for line in part_problems(store, part)] == []
    stored = {
        row["id"] for row in store.read_table([*parts], ["id"] if parts else None).to_pylist()
    }
    with Database.open(lab.url) as database, database.reading() as unit:
        assert set(unit.ledger.ids("rawg", "games")) <= stored
        for run in unit.runs.list():
            for window in unit.windows.list(run.run_id):
                done = unit.windows.pages_done(run.run_id, window.window)
                assert window.state == "open" or done == set(PAGES)


def check_finished(lab: Lab) -> None:
    """One completed run, every page stored once, and a ledger that raw gives again."""
    check(lab)
    store = LocalFolderStore(lab.home / "raw")
    parts = list_parts(store, "rawg", "games")
    seen = sorted((page.window, page.page) for part in parts for page in part.manifest.pages)
    assert seen == [(window, page) for window in WINDOWS for page in PAGES]
    with Database.open(lab.url) as database:
        with database.reading() as unit:
            newest = unit.runs.list(1)[0]
            ledger = unit.ledger.lookup("rawg", "games", EVERY_ID)
        assert (newest.state, sorted(ledger)) == ("completed", EVERY_ID)
        assert rebuild_ledger(store, database) == len(EVERY_ID)
        with database.reading() as unit:
            again = unit.ledger.lookup("rawg", "games", EVERY_ID)
        assert {i: row.last_seen for i, row in again.items()} == {
            i: row.last_seen for i, row in ledger.items()
        }


def finish(lab: Lab) -> None:
    with Database.open(lab.url) as database, database.reading() as unit:
        newest = next(iter(unit.runs.list(1)), None)
    if newest is None or newest.state != "completed":
        small_ingest(lab.home, lab.url)


def operations(new_lab: NewLab) -> list[tuple[str, int]]:
    lab = new_lab("traced")
    traced = crash.run(small_ingest, lab.home, lab.url)
    assert traced.exit_code == 0, traced.traceback
    check_finished(lab)
    return list(traced.trace)


@pytest.mark.crash
@pytest.mark.parametrize("action", ["kill", "error"])
def test_every_operation_may_be_the_last(new_lab: NewLab, action: str) -> None:
    points = [(when, *op) for op in operations(new_lab) for when in ("before", "after")]
    assert len(points) >= 28, "an operation went missing: this test would prove less"
    for when, name, ordinal in points:
        lab = new_lab(f"{when}-{name}-{ordinal}")
        fault = Fault(action, when, name, ordinal)
        outcome = crash.run(small_ingest, lab.home, lab.url, fault=fault)
        assert outcome.fault_fired, lab
        assert outcome.killed == (action == "kill"), lab
        check(lab)
        finish(lab)
        check_finished(lab)


@pytest.mark.crash
def test_an_operation_that_fails_for_ever_leaves_a_store_that_can_go_on(new_lab: NewLab) -> None:
    for ordinal, _ in enumerate(operations(new_lab), start=1):
        lab = new_lab(f"forever-{ordinal}")
        fault = Fault("error", "before", "*", ordinal, forever=True)
        outcome = crash.run(small_ingest, lab.home, lab.url, fault=fault)
        assert outcome.fault_fired
        assert outcome.exit_code == 1
        check(lab)
        finish(lab)
        check_finished(lab)


def test_the_scope_is_what_makes_a_run_resumable(tmp_path: Path, store_url: str) -> None:
    small_ingest(tmp_path, store_url)
    with Database.open(store_url) as database, database.reading() as unit:
        assert unit.runs.resumable("ingest", SCOPE) is None  # completed
