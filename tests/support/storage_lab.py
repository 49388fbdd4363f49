"""What must hold of a raw folder and its operational store, whenever one looks."""

from dataclasses import dataclass
from pathlib import Path

from storage_scenarios import PAGES, WINDOWS, game_id, small_ingest

from storage.database.session import Database
from storage.object_store import LocalFolderStore
from storage.raw_parts import list_parts, part_problems
from storage.rebuild import rebuild_ledger

EVERY_ID = sorted(game_id(window, page) for window in WINDOWS for page in PAGES)


@dataclass(frozen=True)
class Lab:
    """A raw folder and the address of its operational store."""

    home: Path
    url: str


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
