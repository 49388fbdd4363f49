"""An etl run in the operational store, also when it dies."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.context import EtlContext, EtlRequest
from etl.iceberg_catalog import PublishRecord
from storage.database.repositories.runs import Run, RunState
from storage.layout import MAIN, etl_branch, run_tag
from utils.errors import ChecksFailed, GamelakeError, Locked

CHECKS_FAILED = "checks failed"
_RECENT = 50


@contextmanager
def recorded_run(ctx: EtlContext, request: EtlRequest) -> Iterator[Run]:
    """Record a run from start to end; what the block puts into `summary` is kept with it."""
    scope = {"engine": request.engine, "full": request.full, "run": request.run_id}
    with ctx.database.unit_of_work(ctx.lease) as unit:
        run = unit.runs.create("etl", scope=scope, now=ctx.clock.now())
        unit.runs.transition(run.run_id, "running")
    try:
        yield run
    except BaseException as error:
        _fail(ctx, run, error)
        raise
    with ctx.database.unit_of_work(ctx.lease) as unit:
        unit.runs.set_summary(run.run_id, run.summary)
        unit.runs.transition(run.run_id, "completed")


def settle_dead_runs(ctx: EtlContext) -> None:
    """Finish what killed runs left behind. We hold the writer lease, so they are dead.

    A run that got as far as main was published, also if it never heard so and failed: it gets its
    tag and counts as completed. Any other failed; its branch goes, unless checks failed on it:
    then it stays for inspection.
    """
    references = ctx.catalog.references()
    record = ctx.catalog.pin(MAIN).record
    published = record.run_id if record is not None else ""
    if published and run_tag(published) not in references:
        ctx.catalog.tag(run_tag(published), MAIN)
    for run in _recent_runs(ctx):
        if record is not None and run.run_id == published:
            _complete(ctx, run, record)
        else:
            _end(ctx, run)
        if etl_branch(run.run_id) in references and not run.reason.startswith(CHECKS_FAILED):
            ctx.catalog.drop_branch(etl_branch(run.run_id))


def _recent_runs(ctx: EtlContext) -> list[Run]:
    with ctx.database.reading() as unit:
        return unit.runs.list(limit=_RECENT, kind="etl")


def _complete(ctx: EtlContext, run: Run, record: PublishRecord) -> None:
    """Note that a run has published, if it could not do so itself."""
    if run.state not in ("running", "failed"):
        return
    with ctx.database.unit_of_work(ctx.lease) as unit:
        if run.state == "failed":
            unit.runs.resume(run.run_id)
        published = {"published": True, "mode": record.mode}
        unit.runs.set_summary(run.run_id, run.summary | published)
        unit.runs.transition(run.run_id, "completed", reason="it broke off after its publish")


def _end(ctx: EtlContext, run: Run) -> None:
    """Note that a run whose process died did not publish."""
    if run.state not in ("queued", "running"):
        return
    with ctx.database.unit_of_work(ctx.lease) as unit:
        ended: RunState = "cancelled" if run.state == "queued" else "failed"
        unit.runs.transition(run.run_id, ended, reason="its process died")


def _fail(ctx: EtlContext, run: Run, error: BaseException) -> None:
    """Note why a run failed; when that cannot be stored either, the error itself matters more.

    Raises Locked when another writer has taken over: whatever failed, that is why (the new one
    drops the branches of those before it).
    """
    kind = CHECKS_FAILED if isinstance(error, ChecksFailed) else type(error).__name__
    try:
        with ctx.database.unit_of_work(ctx.lease) as unit:
            unit.runs.set_summary(run.run_id, run.summary)
            unit.runs.transition(run.run_id, "failed", reason=f"{kind}: {error}")
    except Locked as lost:
        raise lost from error
    except (GamelakeError, OSError) as second:
        error.add_note(f"the run could not be marked as failed: {second}")
