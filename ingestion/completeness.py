"""Is it all there? The run's total against the source's own, looked at again where it drifted."""

from ingestion.delta import NEWEST_FIRST, newest_of
from ingestion.journal import SOURCE_COUNT
from ingestion.rawg_fetcher import ListingQuery
from ingestion.reading import Reading
from ingestion.report import leaves
from ingestion.scope import Scope, span_of
from ingestion.work import Work, resumed
from storage.layout import GAMES, SOURCE_RAWG

_ROUNDS = 2
# A listing that lost more than this since the last complete run is not believed at once.
_LOST_ROWS = 10
_LOST_SHARE = 0.1


def has_total(scope: Scope) -> bool:
    """Return whether the source can be asked how many games a run of this scope must find."""
    return scope["scope"] in ("all", "range")


def hold_back(work: Work) -> list[str]:
    """Return a note when the source suddenly lists far less: nothing of ours is removed for that.

    It is asked twice. A full run that reads every window to its end is believed, except when the
    listing is empty.
    """
    if not _is_suspicious(work):
        return []
    page = work.source.ahead(NEWEST_FIRST)
    work.journal.start["source_count"] = page.count
    if not work.journal.windows():
        work.journal.start["newest"] = newest_of(page, work.ctx.clock.now())
    if not _is_suspicious(work):
        return []
    work.journal.summary["held"] = True
    return [f"held: the source lists {page.count} games, far less than before; nothing was removed"]


def way_on(work: Work) -> str:
    """Return what to do about a run of which something stayed open."""
    if _has_shrunk(work):
        return "if the source really shrank: `gamelake ingest --full` takes its word for it"
    return "what was read is stored; the same command tries the rest again"


def _is_suspicious(work: Work) -> bool:
    if work.windows.catalogue > 0:
        return _has_shrunk(work)
    with work.ctx.database.reading() as unit:
        return unit.ledger.count(SOURCE_RAWG, GAMES) > 0


def _has_shrunk(work: Work) -> bool:
    """Return True for a delta over a source that lists far less than it did, but lists some."""
    counted = work.windows.catalogue
    with work.ctx.database.reading() as unit:
        before = int(unit.state.get(SOURCE_COUNT) or 0)
    is_delta = work.journal.scope["scope"] == "delta"
    return is_delta and 0 < counted < before - max(_LOST_ROWS, _LOST_SHARE * before)


def reconcile(work: Work) -> list[str]:
    """Compare totals, read again what drifted, and return what stays open."""
    if has_total(work.journal.scope) and not _open_windows(work):
        # What an earlier process was told may be long ago, or have been wrong then.
        total = _total_now(work) if work.journal.resumed else _total_at_start(work)
        for _ in range(_ROUNDS):
            if _accounted(work) >= total:
                break
            total = _total_now(work)
            if _accounted(work) < total:
                work.read(_drifted(work))
        if (gap := total - _accounted(work)) > 0:
            return [*_open_windows(work), f"{gap} of {total} games were not found"]
    return _open_windows(work)


def _accounted(work: Work) -> int:
    """Return how many games were read, each once: one that is read again hides no missing one.

    What other runs read since this one began is as good; the run's own counter would count it
    again. But they may have read what is not of a range.
    """
    journal = work.journal
    is_all = journal.scope["scope"] == "all"
    met = journal.games_met() if is_all else journal.counters["games_seen"]
    return met + journal.quarantined()


def _total_at_start(work: Work) -> int:
    if work.journal.scope["scope"] == "all":
        return work.windows.catalogue
    root = span_of(work.journal.scope).window.name
    return next(row.api_count or 0 for row in work.journal.windows() if row.window == root)


def _total_now(work: Work) -> int:
    if work.journal.scope["scope"] == "all":
        return work.source.page(NEWEST_FIRST, 1).count
    span = span_of(work.journal.scope)
    query = ListingQuery.dates(span.first.isoformat(), span.last.isoformat())
    return work.source.page(query, 1).count


def _drifted(work: Work) -> list[Reading]:
    """Ask every window for its count again; undated games have none and are read again."""
    readings = []
    for row in leaves(work.journal.windows()):
        reading = resumed(work, row)
        reading.check_again()
        readings.append(reading)
    return readings


def _open_windows(work: Work) -> list[str]:
    rows = leaves(work.journal.windows())
    return [f"{row.window}: {row.note}" for row in rows if row.state != "done"]
