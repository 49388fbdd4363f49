"""Rolling what earlier processes left in the spool, before anything new is fetched.

Else a page fetched long ago would enter raw after newer versions of its games.
"""

from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path

from ingestion.journal import RunJournal
from ingestion.roller import Roller
from ingestion.spool import PageHead, delete_segment, left_behind
from storage.database.repositories.leases import Lease
from storage.database.repositories.runs import Run
from storage.database.repositories.windows import WindowRow
from storage.database.session import Database
from storage.object_store import ObjectStore


def recover(spool: Path, store: ObjectStore, database: Database, lease: Lease) -> int:
    """Roll every segment left in the spool into its own run; return how many there were.

    Segments of a run that the store does not know (it was lost, or replaced) are dropped: nothing
    says that their pages are done, so they are fetched again.
    """
    segments = left_behind(spool)
    for folder, own in groupby(segments, key=lambda segment: segment.parent):
        run = _find(database, folder.name)
        if run is None:
            for segment in own:
                delete_segment(segment)
            continue
        journal = RunJournal(database, lease, run)
        roller = Roller(store, journal)
        for segment in own:
            roller.roll(segment, partial(_windows_after, journal))
    return len(segments)


def _find(database: Database, run_id: str) -> Run | None:
    with database.reading() as unit:
        runs = unit.runs.list(limit=1_000_000, kind="ingest")
        return next((run for run in runs if run.run_id == run_id), None)


def _windows_after(journal: RunJournal, heads: list[PageHead]) -> list[WindowRow]:
    """Add the rows of pages that were not done yet; nobody is reading these windows now."""
    rows = {row.window: row for row in journal.windows()}
    done = {window: journal.pages_done(window) for window in {head.window for head in heads}}
    touched: dict[str, WindowRow] = {}
    for head in heads:
        row = touched.get(head.window, rows[head.window])
        gained = 0 if head.page in done[head.window] else head.rows
        count = head.api_count if row.api_count is None else row.api_count
        touched[head.window] = replace(row, fetched=row.fetched + gained, api_count=count)
        done[head.window].add(head.page)
    return list(touched.values())
