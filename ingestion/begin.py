"""How a run begins: an unfinished one of the same scope goes on, else the source is asked first."""

from typing import Any

from ingestion.context import IngestContext, IngestRequest
from ingestion.delta import NEWEST_FIRST, newest_of
from ingestion.journal import RunJournal
from ingestion.report import leaves
from ingestion.scope import Scope, scope_of
from ingestion.source import Source
from storage.database.repositories.leases import Lease
from storage.database.repositories.runs import Run
from storage.database.session import UnitOfWork
from storage.layout import WATERMARK
from storage.rebuild import LAST_FETCHED_AT
from utils.errors import UsageError

BASE_URL = "lake_base_url"


def check_bound(ctx: IngestContext) -> None:
    """Raise UsageError when this lake holds another source's data."""
    with ctx.database.reading() as unit:
        bound = unit.state.get(BASE_URL)
    own = ctx.settings.rawg_base_url
    if bound is not None and bound.rstrip("/") != own.rstrip("/"):
        raise UsageError(
            f"this lake was filled from {bound}, not from {own}",
            operation="ingest",
            subject="RAWG_BASE_URL",
            hint="set RAWG_BASE_URL back, or choose another GAMELAKE_HOME",
        )


def unfinished(ctx: IngestContext, request: IngestRequest) -> tuple[Scope, str | None, Run | None]:
    """Return the scope that `request` means here, the watermark, and the run that waits for it."""
    with ctx.database.reading() as unit:
        watermark = unit.state.get(WATERMARK)
        scope = scope_of(request, watermark)
        waiting = unit.runs.resumable("ingest", scope)
        over = waiting is not None and _is_over(unit, waiting)
        return scope, watermark, None if over else waiting


def _is_over(unit: UnitOfWork, run: Run) -> bool:
    """Return whether a run that was held back has read all that it would.

    What changed since then needs another; the watermark has not moved, so nothing is left out.
    """
    if run.state != "failed" or "held" not in run.summary:
        return False
    rows = leaves(unit.windows.list(run.run_id))
    return bool(rows) and all(row.state == "done" for row in rows)


def ask_source(
    ctx: IngestContext, source: Source, scope: Scope, since: str | None
) -> dict[str, Any]:
    """Ask the source for its newest change and its size, before anything else is read.

    The newest change becomes the watermark once the run is complete: whatever changes while it
    reads is newer, and left to the next run. It is never later than our own clock.
    """
    page = source.ahead(NEWEST_FIRST)
    start: dict[str, Any] = {"source_count": page.count, "newest": newest_of(page, ctx.clock.now())}
    return start | {"since": since} if scope["scope"] == "delta" else start


def begin(ctx: IngestContext, request: IngestRequest, source: Source, lease: Lease) -> RunJournal:
    """Resume the unfinished run of this scope, or create one once the source has answered."""
    scope, watermark, waiting = unfinished(ctx, request)
    if waiting is not None:
        with ctx.database.unit_of_work(lease) as unit:
            run = unit.runs.resume(waiting.run_id)
        return RunJournal(ctx.database, lease, run, resumed=True)
    start = ask_source(ctx, source, scope, watermark)
    with ctx.database.unit_of_work(lease) as unit:
        start["fetched_before"] = unit.state.get(LAST_FETCHED_AT) or ""
        created = unit.runs.create("ingest", scope=scope, now=ctx.clock.now())
        unit.runs.set_summary(created.run_id, {"start": start})
        run = unit.runs.transition(created.run_id, "running")
        unit.state.set(BASE_URL, ctx.settings.rawg_base_url)
    return RunJournal(ctx.database, lease, run)
