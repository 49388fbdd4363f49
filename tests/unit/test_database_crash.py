"""Work that dies or fails at any operation, once or for ever, is finished by the next call."""

from pathlib import Path

import crash
import pytest
from storage_scenarios import PAGES, SCOPE, WINDOWS, game_id, small_ingest, url

from storage.database.session import Database
from storage.object_store import LocalFolderStore
from storage.raw_parts import list_parts, part_problems
from storage.rebuild import rebuild_ledger
from utils.seams import Fault

EVERY_ID = sorted(game_id(window, page) for window in WINDOWS for page in PAGES)


def check(home: Path) -> None:
    """What is known is durable, whenever one looks."""
    store = LocalFolderStore(home / "raw")
    parts = {part.key: part for part in list_parts(store, "rawg", "games")}
    assert [line for part in parts.values() for line in part_problems(store, part)] == []
    stored = {
        row["id"] for row in store.read_table([*parts], ["id"] if parts else None).to_pylist()
    }
    with Database.open(url(home)) as database, database.reading() as unit:
        assert set(unit.ledger.ids("rawg", "games")) <= stored
        for run in unit.runs.list():
            for window in unit.windows.list(run.run_id):
                done = unit.windows.pages_done(run.run_id, window.window)
                assert window.state == "open" or done == set(PAGES)


def check_finished(home: Path) -> None:
    """One completed run, every page stored once, and a ledger that raw gives again."""
    check(home)
    parts = list_parts(LocalFolderStore(home / "raw"), "rawg", "games")
    seen = sorted((page.window, page.page) for part in parts for page in part.manifest.pages)
    assert seen == [(window, page) for window in WINDOWS for page in PAGES]
    with Database.open(url(home)) as database:
        with database.reading() as unit:
            newest = unit.runs.list(1)[0]
            ledger = unit.ledger.lookup("rawg", "games", EVERY_ID)
        assert (newest.state, sorted(ledger)) == ("completed", EVERY_ID)
        assert rebuild_ledger(LocalFolderStore(home / "raw"), database) == len(EVERY_ID)
        with database.reading() as unit:
            again = unit.ledger.lookup("rawg", "games", EVERY_ID)
        assert {i: row.last_seen for i, row in again.items()} == {
            i: row.last_seen for i, row in ledger.items()
        }


def finish(home: Path) -> None:
    with Database.open(url(home)) as database, database.reading() as unit:
        newest = next(iter(unit.runs.list(1)), None)
    if newest is None or newest.state != "completed":
        small_ingest(home)


def operations(tmp_path: Path) -> list[tuple[str, int]]:
    home = tmp_path / "traced"
    traced = crash.run(small_ingest, home)
    assert traced.exit_code == 0, traced.traceback
    check_finished(home)
    return list(traced.trace)


@pytest.mark.crash
@pytest.mark.parametrize("action", ["kill", "error"])
def test_every_operation_may_be_the_last(tmp_path: Path, action: str) -> None:
    points = [(when, *op) for op in operations(tmp_path) for when in ("before", "after")]
    assert len(points) >= 28, "an operation went missing: this test would prove less"
    for when, name, ordinal in points:
        home = tmp_path / f"{when}-{name}-{ordinal}"
        outcome = crash.run(small_ingest, home, fault=Fault(action, when, name, ordinal))
        assert outcome.fault_fired, home.name
        assert outcome.killed == (action == "kill"), home.name
        check(home)
        finish(home)
        check_finished(home)


@pytest.mark.crash
def test_an_operation_that_fails_for_ever_leaves_a_store_that_can_go_on(tmp_path: Path) -> None:
    for ordinal, _ in enumerate(operations(tmp_path), start=1):
        home = tmp_path / f"forever-{ordinal}"
        fault = Fault("error", "before", "*", ordinal, forever=True)
        outcome = crash.run(small_ingest, home, fault=fault)
        assert outcome.fault_fired
        assert outcome.exit_code == 1
        check(home)
        finish(home)
        check_finished(home)


def test_the_scope_is_what_makes_a_run_resumable(tmp_path: Path) -> None:
    small_ingest(tmp_path)
    with Database.open(url(tmp_path)) as database, database.reading() as unit:
        assert unit.runs.resumable("ingest", SCOPE) is None  # completed
