"""An etl run in the operational store, also when it dies."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.context import EtlContext, EtlRequest
from etl.iceberg_catalog import LakeCatalog
from storage.database.repositories.runs import Run, RunState
from storage.layout import MAIN, etl_branch, run_tag
from utils.errors import ChecksFailed, GamelakeError, Locked

CHECKS_FAILED = "checks failed"
_RECENT = 50


@contextmanager
def recorded_run(ctx: EtlContext, request: EtlRequest) -> Iterator[Run]:
    """Record a run from start to end; what the block puts into `summary` is kept with it.

    The block leaves `published` and `deferred` there: a run that has published says so, and what
    it could not note after that is deferred to the next one (`settle_dead_runs`).
    """
    scope = {"engine": request.engine, "full": request.full, "run": request.run_id}
    with ctx.database.unit_of_work(ctx.lease) as unit:
        run = unit.runs.create("etl", scope=scope, now=ctx.clock.now())
        unit.runs.transition(run.run_id, "running")
    try:
        yield run
    except BaseException as error:
        _fail(ctx, run, error)
        raise
    try:
        with ctx.database.unit_of_work(ctx.lease) as unit:
            unit.runs.set_summary(run.run_id, run.summary)
            unit.runs.transition(run.run_id, "completed")
    except (GamelakeError, OSError) as error:
        if not run.summary["published"]:
            raise
        left = f"the next run notes that this one has published: {error}"
        run.summary["deferred"] = "; ".join(filter(None, (run.summary["deferred"], left)))


def settle_dead_runs(ctx: EtlContext) -> None:
    """Finish what killed runs left behind. We hold the writer lease, so they are dead.

    A run that got as far as main was published, also if it never heard so and failed: it gets its
    tag and counts as completed. Any other failed; its branch goes, unless checks failed on it:
    then it stays for inspection.
    """
    references = tag_published(ctx.catalog)
    for run in _recent_runs(ctx):
        if run_tag(run.run_id) in references:
            _complete(ctx, run)
        else:
            _end(ctx, run)
        if etl_branch(run.run_id) in references and not run.reason.startswith(CHECKS_FAILED):
            ctx.catalog.drop_branch(etl_branch(run.run_id))


def tag_published(catalog: LakeCatalog) -> set[str]:
    """Tag what main holds by its run, if that died before it could; so main can move on.

    Returns the names of all references.
    """
    record, names = catalog.pin(MAIN).record, {*catalog.references()}
    if record is not None and (tag := run_tag(record.run_id)) not in names:
        catalog.tag(tag, MAIN)
        names.add(tag)
    return names


def _recent_runs(ctx: EtlContext) -> list[Run]:
    with ctx.database.reading() as unit:
        return unit.runs.list(limit=_RECENT, kind="etl")


def _complete(ctx: EtlContext, run: Run) -> None:
    """Note that a run has published, if it could not do so itself."""
    if run.state not in ("running", "failed"):
        return
    record = ctx.catalog.pin(run_tag(run.run_id)).record
    mode = {} if record is None else {"mode": record.mode}
    with ctx.database.unit_of_work(ctx.lease) as unit:
        if run.state == "failed":
            unit.runs.resume(run.run_id)
        unit.runs.set_summary(run.run_id, run.summary | {"published": True, **mode})
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
