"""Raw to published star: branch, build, write, check, merge, tag."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ibis.expr.types import Table

from etl.audit import audit
from etl.build import (
    RawTables,
    TableChange,
    build_full,
    build_incremental,
    open_published,
    open_raw,
)
from etl.checks import CheckInputs
from etl.context import BuildPlan, EtlContext, EtlRequest
from etl.engine_contract import Engine
from etl.engines import open_engine
from etl.iceberg_catalog import PinnedCatalog, PublishRecord
from etl.iceberg_evolution import declared_shape
from etl.iceberg_writer import BranchWriter
from etl.incremental import rows_missing
from etl.raw_source import RawSelection, select_raw
from etl.report import CheckCounts, EtlReport, Mode, TableReport
from etl.run_log import recorded_run, settle_dead_runs
from storage.database.repositories.runs import Run
from storage.layout import GAMES, MAIN, STAR, etl_branch, run_tag
from utils.clock import iso
from utils.errors import Damaged, GamelakeError
from utils.progress import ProgressSnapshot

BULK_ROWS = 100_000
BULK_SHARE = 1 / 3

Changes = dict[str, TableChange]
Tables = Mapping[str, Table]


def run_etl(ctx: EtlContext, request: EtlRequest) -> EtlReport:
    """Publish what raw says and the tables do not say yet; return the fields of `etl --json`.

    The caller holds the writer lease `ctx.lease`. Raises ChecksFailed when a check fails (main
    stays as it was, the branch stays for inspection), Conflict when main moved meanwhile.
    """
    started = ctx.clock.monotonic()
    settle_dead_runs(ctx)
    with recorded_run(ctx, request) as run:
        plan = plan_build(ctx, request)
        report = _nothing_new(ctx, plan, run) if plan.mode == "none" else _publish(ctx, plan, run)
        report = replace(report, seconds=round(ctx.clock.monotonic() - started, 3))
        run.summary.update(report.as_dict())
    return replace(report, deferred=run.summary["deferred"])


def plan_build(ctx: EtlContext, request: EtlRequest) -> BuildPlan:
    """Work out what raw is new to the published tables, and so how to build.

    A full build is needed at first, when asked for, when the tables hold raw that is not wanted
    now or have other columns than this version declares, and when new rows are not the youngest;
    it is cheaper when most rows are new.
    """
    main = ctx.catalog.pin(MAIN)
    raw = select_raw(ctx.raw, main.record, request.run_id)
    older = request.run_id is not None and raw.forgotten
    mode = build_mode(main, raw, full=request.full)
    return BuildPlan(main, raw, mode, request.engine, only_adds=not (older or raw.late))


def build_mode(main: PinnedCatalog, raw: RawSelection, *, full: bool) -> Mode:
    """Return how to build `raw` upon what is published."""
    if not any(raw.parts.values()):
        return "none"
    if full or main.record is None or raw.forgotten or not _is_as_declared(main, main.record):
        return "full"
    if raw.new_rows == 0:
        return "none"
    return "full" if raw.late or _is_bulk(raw) else "incremental"


def _is_as_declared(main: PinnedCatalog, record: PublishRecord) -> bool:
    """Return whether the published tables are those of this version, column by column."""
    return record.shape == declared_shape() and set(STAR) <= set(main.tables)


def _is_bulk(raw: RawSelection) -> bool:
    """Return whether so much is new that a full build is cheaper: it compares no rows."""
    every = sum(part.manifest.rows for parts in raw.parts.values() for part in parts)
    return raw.new_rows > BULK_ROWS and raw.new_rows > every * BULK_SHARE


def _nothing_new(ctx: EtlContext, plan: BuildPlan, run: Run) -> EtlReport:
    rows = plan.main.record.rows if plan.main.record is not None else {}
    _require_metadata(ctx, plan.main, rows.keys())
    return EtlReport(
        run_id=run.run_id,
        state="completed",
        published=False,
        commit=plan.main.head,
        engine=plan.engine,
        mode="none",
        tables={name: TableReport(count) for name, count in rows.items()},
        checks=CheckCounts(),
    )


def _require_metadata(ctx: EtlContext, main: PinnedCatalog, names: Iterable[str]) -> None:
    """Raise Damaged when a published table has lost its metadata: a daily run has to notice."""
    places = {name: table.metadata_location for name, table in main.tables.items()}
    new_input = ctx.catalog.files.io.new_input
    lost = [n for n in names if n not in places or not new_input(places[n]).exists()]
    if lost:
        raise Damaged(
            f"what is published cannot be read: no metadata of {', '.join(lost)}",
            operation="etl",
            subject=lost[0],
            hint=Damaged.next_step,
        )


def _publish(ctx: EtlContext, plan: BuildPlan, run: Run) -> EtlReport:
    """Build on a branch, check there, and make the branch main."""
    branch = etl_branch(run.run_id)
    with open_engine(ctx, plan.engine, branch) as (engine, places):
        ctx.catalog.create_branch(branch, MAIN)
        raw = open_raw(engine, places, plan.raw)
        before = open_published(engine, places, plan.main, "main")
        changes = _write(ctx, engine, _changes(engine, plan, raw, before), run)
        built = ctx.catalog.pin(branch)
        after = {**before, **open_published(engine, places, built, "branch", only=changes)}
        before = {name: table for name, table in before.items() if name in changes}
        compared = CheckInputs(
            after=after,
            before=before,
            raw_games=raw.every[GAMES],
            today=ctx.clock.now().date(),
            only_adds=plan.only_adds,
            changed=changes.keys(),
        )
        results = audit(ctx, engine, compared, run)
        tables = _tables_report(engine, built, changes, compared)
    commit = _merge(ctx, plan, built, run)
    run.summary["published"] = True  # whatever comes
    deferred = _tag(ctx, run)
    return EtlReport(
        run_id=run.run_id,
        state="completed",
        published=True,
        commit=commit,
        engine=plan.engine,
        mode=plan.mode,
        tables=tables,
        checks=CheckCounts.of(results),
        warnings=tuple(r.describe() for r in results if r.outcome == "warned"),
        deferred=deferred,
    )


def _changes(
    engine: Engine, plan: BuildPlan, raw: RawTables, published: Tables
) -> Iterator[TableChange]:
    if plan.mode == "full":
        return build_full(engine, raw)
    files = {name: table.data_files for name, table in plan.main.tables.items()}
    return build_incremental(engine, raw, published, files)


def _write(ctx: EtlContext, engine: Engine, changes: Iterator[TableChange], run: Run) -> Changes:
    """Write each changed table on the run's branch as soon as it is known."""
    writer = BranchWriter(ctx.catalog, etl_branch(run.run_id))
    written: Changes = {}
    for change in changes:
        engine.write(writer, change.name, change.content, run_id=run.run_id, delta=change.delta)
        written[change.name] = change
        ctx.progress.update(
            ProgressSnapshot(
                "etl", windows_done=len(written), windows_total=len(STAR), message=change.name
            )
        )
    return written


def _tables_report(
    engine: Engine, built: PinnedCatalog, changes: Changes, compared: CheckInputs
) -> dict[str, TableReport]:
    after, before = compared.after, compared.before
    report = {name: TableReport(built.tables[name].rows) for name in STAR}
    for name, change in changes.items():
        rows = report[name].rows
        if change.added is not None and change.removed is not None:
            report[name] = TableReport(rows, change.added, change.removed)
        elif name in before:
            now = after[name].select(*before[name].columns)  # an upgrade may have added some
            added = engine.count(rows_missing(now, before[name]))
            removed = engine.count(rows_missing(before[name], now))
            report[name] = TableReport(rows, added, removed)
        else:
            report[name] = TableReport(rows, added=rows)
    return report


def _merge(ctx: EtlContext, plan: BuildPlan, built: PinnedCatalog, run: Run) -> str:
    """Record on the branch what it holds, and make it main in one step."""
    branch = etl_branch(run.run_id)
    record = PublishRecord(
        run_id=run.run_id,
        mode=plan.mode,
        raw_applied=plan.raw.applied(),
        tables={name: table.snapshot_id for name, table in built.tables.items()},
        rows={name: table.rows for name, table in built.tables.items()},
        published_at=iso(ctx.clock.now()),
        fence=ctx.lease.epoch,
        shape=declared_shape(),
    )
    BranchWriter(ctx.catalog, branch).write_record(record)
    merged = ctx.catalog.merge(
        branch, onto=MAIN, expected_head=plan.main.head, fence=ctx.lease.epoch
    )
    return merged.head


def _tag(ctx: EtlContext, run: Run) -> str:
    """Tag what was published and drop its branch.

    It is published whether that succeeds or not: what fails is left to the next run, which
    settles it (`settle_dead_runs`), and told.
    """
    branch = etl_branch(run.run_id)
    try:
        ctx.catalog.tag(run_tag(run.run_id), branch)
        ctx.catalog.drop_branch(branch)
    except (GamelakeError, OSError) as error:
        return f"the next run sets the tag {run_tag(run.run_id)} and drops {branch}: {error}"
    return ""
