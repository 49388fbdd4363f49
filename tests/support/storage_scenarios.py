"""Work on an operational store and a raw folder, small enough to be killed at every operation."""

from pathlib import Path

from clocks import START
from manifests import manifest
from raw_builder import game, raw_games

from storage.database.repositories.leases import Lease
from storage.database.repositories.ledger import LedgerRow
from storage.database.repositories.windows import PageRow, WindowRow
from storage.database.session import Database
from storage.database.writer import hold_writer
from storage.object_store import LocalFolderStore
from storage.raw_parts import PageRef, list_parts, next_part_number, write_part
from utils.clock import FetchClock, SystemClock, iso, parse_iso

WINDOWS = ("2020-01", "2020-02")
PAGES = (1, 2)
SCOPE = {"scope": "all"}


def game_id(window: str, page: int) -> int:
    return WINDOWS.index(window) * 10 + page


def small_ingest(home: Path, url: str) -> str:
    """Carry one run of `SCOPE` to its end, from wherever an earlier call died; return its id."""
    store = LocalFolderStore(home / "raw")
    with Database.open(url) as database, hold_writer(database) as lease:
        run_id = _open_run(database, lease)
        done = [part.manifest for part in list_parts(store, "rawg", "games", run_id)]
        last = max((parse_iso(one.last_fetched_at) for one in done), default=START)
        clock = FetchClock(SystemClock(), last)
        known = {(page.window, page.page) for one in done for page in one.pages}
        for window in WINDOWS:
            for page in PAGES:
                if (window, page) not in known:
                    _store_page(store, run_id, (window, page), clock)
            _note_window(database, lease, store, run_id=run_id, window=window)
        with database.unit_of_work(lease) as unit:
            unit.runs.transition(run_id, "completed")
        return run_id


def _open_run(database: Database, lease: Lease) -> str:
    with database.unit_of_work(lease) as unit:
        found = unit.runs.resumable("ingest", SCOPE)
        run = found or unit.runs.create("ingest", scope=SCOPE, now=database.clock.now())
        unit.runs.resume(run.run_id)
        plan = [
            WindowRow(run.run_id, name, "dates", name, name, len(PAGES), 0, "open", "")
            for name in WINDOWS
        ]
        unit.windows.plan(run.run_id, plan)
        return run.run_id


def _store_page(
    store: LocalFolderStore, run_id: str, place: tuple[str, int], clock: FetchClock
) -> None:
    stamp = clock.stamp()
    number = next_part_number(store, "rawg", "games", run_id)
    row = game(game_id(*place)) | {"_fetched_at": stamp, "_run_id": run_id}
    held = manifest(
        run_id=run_id,
        number=number,
        pages=(PageRef(*place, len(PAGES), 1),),
        first_fetched_at=iso(stamp),
        last_fetched_at=iso(stamp),
    )
    write_part(store, raw_games([row]), held)


def _note_window(
    database: Database, lease: Lease, store: LocalFolderStore, *, run_id: str, window: str
) -> None:
    """Tell the operational store what is durable; said again after a crash, it changes nothing."""
    with database.unit_of_work(lease) as unit:
        for part in list_parts(store, "rawg", "games", run_id):
            page = part.manifest.pages[0]
            if page.window == window:
                at = part.manifest.last_fetched_at
                known = LedgerRow(
                    game_id(window, page.page), "2025", "h0", "browse", at, at, run_id
                )
                unit.ledger.upsert("rawg", "games", [known])
                unit.windows.add_pages(run_id, window, [PageRow(page.page, 1, part.key)])
        done = WindowRow(run_id, window, "dates", window, window, len(PAGES), 2, "done", "")
        unit.windows.save(done)
