"""How a run ends, in each of its ways, and what is said and written down then."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ingestion.completeness import way_on
from ingestion.context import IngestContext
from ingestion.journal import SOURCE_COUNT, RunJournal
from ingestion.report import IngestReport, build_report
from ingestion.work import Work
from storage.database.repositories.runs import RunState
from storage.layout import GAMES, SOURCE_RAWG, WATERMARK
from utils.errors import GamelakeError, Incomplete, QuotaSpent, Stopped, storage_refused


def finish(work: Work, notes: list[str]) -> IngestReport:
    """End a run that read its whole scope; raises Incomplete when `notes` say what is missing.

    Only here the watermark moves: everything that the run covers is in raw by now.
    """
    work.count()
    complete = not notes and _is_whole(work)
    state: RunState = "failed" if notes else "completed"
    report = _report(work.journal, state, complete=complete)
    work.journal.summary.update(report.as_dict())
    reason = f"incomplete: {'; '.join(notes[:5])}" if notes else ""
    facts = _facts(work) if complete and not notes else {}
    work.journal.end(state, reason, facts)
    if notes:
        raise _incomplete(report, notes, hint=way_on(work))
    return report


@contextmanager
def told_how_it_ended(ctx: IngestContext, journal: RunJournal) -> Iterator[None]:
    """Write down how a run was interrupted, and give the error the report so far."""
    try:
        yield
    except Incomplete:
        raise
    except Stopped as error:
        _interrupted(journal, error, "paused", "stopped")
        raise _stopped(journal, error) from error
    except QuotaSpent as error:
        _interrupted(journal, error, "paused", "quota")
        raise
    except GamelakeError as error:
        _interrupted(journal, error, "failed", error.message)
        raise
    except OSError as error:
        named = _named(ctx, error)
        _interrupted(journal, named, "failed", named.message)
        raise named from error


@contextmanager
def disk_errors_named(ctx: IngestContext) -> Iterator[None]:
    """Turn an OSError outside a run into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise _named(ctx, error) from error


def _is_whole(work: Work) -> bool:
    """Return True unless --limit ended the run before the catalogue did."""
    scope = work.journal.scope
    if scope["scope"] != "limit":
        return True
    rows = work.journal.windows()
    return all(row.note == "" and (row.api_count or 0) <= row.fetched for row in rows)


def _facts(work: Work) -> dict[str, str]:
    """Return what the lake knows after a complete run: how far it is, how large the source was."""
    if work.journal.scope["scope"] not in ("all", "delta"):
        return {}
    with work.ctx.database.reading() as unit:
        before = unit.state.get(WATERMARK) or ""
        stored = unit.ledger.newest_update(SOURCE_RAWG, GAMES) or ""
    facts = {SOURCE_COUNT: str(work.journal.start["source_count"])}
    # The newest game may have gone between the probe and the crawl: what is not stored is ahead.
    if watermark := max(before, min(stored, work.journal.start["newest"] or "")):
        facts[WATERMARK] = watermark
    return facts


def _interrupted(journal: RunJournal, error: GamelakeError, state: RunState, why: str) -> None:
    # The store may be what failed; the run then stays `running`, which resumes just as well.
    with suppress(GamelakeError, OSError):
        journal.reload()
        report = _report(journal, state, complete=False)
        error.report = report
        journal.summary.update(report.as_dict())
        journal.end(state, why, {})


def _report(journal: RunJournal, state: RunState, *, complete: bool) -> IngestReport:
    seconds = float(journal.summary.get("seconds", 0))
    return build_report(journal, journal.windows(), state=state, complete=complete, seconds=seconds)


def _incomplete(report: IngestReport, notes: list[str], *, hint: str) -> Incomplete:
    more = f" (and {len(notes) - 5} more)" if len(notes) > 5 else ""
    error = Incomplete(
        f"not everything could be read: {'; '.join(notes[:5])}{more}",
        operation="ingest",
        subject=report.run_id,
        hint=hint,
    )
    error.report = report
    return error


def _stopped(journal: RunJournal, cause: Stopped) -> Stopped:
    error = Stopped(
        f"stopped; {journal.counters['pages']} pages of run {journal.run_id} are kept",
        operation="ingest",
        subject=journal.run_id,
        hint="the same command continues where this one stopped",
    )
    error.report = cause.report
    return error


def _named(ctx: IngestContext, error: OSError) -> GamelakeError:
    return storage_refused(error, operation="ingest", subject=str(ctx.settings.gamelake_home))
