"""How many games the source itself has of each release year, into raw: coverage needs no guess.

The browse listing names them beside its rows (contracts/rawg.md, filters.years), and its first
page by `updated` is asked before anything else: so every run learns them at no request of its own,
also one that --limit, --from/--to or a spent quota cuts short.
"""

from collections.abc import Sequence

import pyarrow as pa

from ingestion.delta import NEWEST_FIRST
from ingestion.lookup_store import write_whole
from ingestion.rawg_fetcher import Page, PageUnreadable
from ingestion.rows import Lineage, lineage_columns
from ingestion.work import Work
from storage.layout import BROWSE, SOURCE_RAWG, YEAR_COUNTS
from storage.object_store import ObjectStore
from storage.raw_parts import list_parts
from storage.raw_schema import RAW_YEAR_COUNTS

Counts = Sequence[tuple[int | None, int]]


def read_year_counts(work: Work) -> list[str]:
    """Store the counts if they are news, once a run; return what could not be read.

    A source that names no years, or no games, tells nothing, and what is stored stays.
    """
    journal, store = work.journal, work.ctx.raw
    if YEAR_COUNTS in journal.summary:
        return []
    try:
        # A resumed run has not asked yet.
        page = work.source.first_page or work.source.page(NEWEST_FIRST, 1)
    except PageUnreadable as error:
        return [error.message]
    counts = counts_of(page)
    if is_news := bool(counts) and counts != _stored(store):
        lineage = Lineage(work.clock.stamp(), journal.run_id, BROWSE, YEAR_COUNTS)
        size = write_whole(store, YEAR_COUNTS, _table(counts, lineage), lineage)
        journal.counters["bytes_raw"] += size
    journal.summary[YEAR_COUNTS] = "stored" if is_news else "unchanged"
    work.count()
    journal.save()
    return []


def counts_of(page: Page) -> Counts:
    """Return (release year, games), oldest first; None, first, are the games of no listed year.

    Those are the undated, and what lies past the last year that the source lists. The rest is
    left out when the years add up to more than the source's own total.
    """
    if not page.years:
        return []
    rest = page.count - sum(games for _, games in page.years)
    return [*([(None, rest)] if rest >= 0 else []), *sorted(page.years)]


def _stored(store: ObjectStore) -> Counts:
    parts = list_parts(store, SOURCE_RAWG, YEAR_COUNTS)
    if not parts:
        return []
    rows = store.read_table([parts[-1].key], columns=["release_year", "source_games"])
    return [(row["release_year"], row["source_games"]) for row in rows.to_pylist()]


def _table(counts: Counts, lineage: Lineage) -> pa.Table:
    columns = {
        "release_year": [year for year, _ in counts],
        "source_games": [games for _, games in counts],
        **lineage_columns([lineage] * len(counts)),
    }
    return pa.Table.from_pydict(columns, schema=RAW_YEAR_COUNTS)
