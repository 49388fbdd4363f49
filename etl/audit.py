"""Checks what is written on the branch; nothing is merged unless they pass."""

from collections.abc import Mapping

from etl.checks import CheckInputs, star_checks
from etl.context import EtlContext
from etl.engine_contract import Engine
from quality.checks import CheckResult, failures, run_checks
from storage.database.repositories.checks import CheckRow
from storage.database.repositories.runs import Run
from storage.layout import etl_branch
from utils.errors import ChecksFailed


def audit(ctx: EtlContext, engine: Engine, inputs: CheckInputs, run: Run) -> list[CheckResult]:
    """Run every check, keep the results with the run, and return them.

    Raises ChecksFailed naming tables, rules and rows when one forbids publishing.
    """
    results = [*run_checks(engine, star_checks(inputs)), _completeness(ctx)]
    with ctx.database.unit_of_work(ctx.lease) as unit:
        unit.checks.add(run.run_id, [_row(result) for result in results])
    if broken := failures(results):
        lines = "\n".join(f"  {result.describe()}" for result in broken)
        raise ChecksFailed(
            f"{len(broken)} of {len(results)} checks failed, nothing was published:\n{lines}",
            operation="check the star",
            subject=", ".join(sorted({result.table for result in broken})),
            hint=f"`gamelake runs show {run.run_id}` lists them; the tables stay on branch "
            f"{etl_branch(run.run_id)}",
        )
    return results


def _completeness(ctx: EtlContext) -> CheckResult:
    """Say whether the newest ingest read its source to the end; the star is honest either way."""
    with ctx.database.reading() as unit:
        newest = unit.runs.list(limit=1, kind="ingest")
    if not newest:
        sample: Mapping[str, object] = {"ingest": "none is recorded"}
    elif newest[0].state == "completed" and newest[0].summary.get("complete"):
        sample = {}
    else:
        run = newest[0]
        sample = {"ingest": run.run_id, "state": run.state, "reason": run.reason}
    return CheckResult(
        name="ingest_complete",
        table="raw",
        severity="warn",
        rule="the last ingest read its source to the end",
        bad_rows=1 if sample else 0,
        sample=(sample,) if sample else (),
    )


def _row(result: CheckResult) -> CheckRow:
    return CheckRow(
        name=result.name,
        subject=result.table,
        outcome=result.outcome,
        failing=result.bad_rows,
        detail=result.describe(),
    )
