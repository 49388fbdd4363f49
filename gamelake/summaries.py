"""What a run did, in the past tense."""

from typing import TYPE_CHECKING

from gamelake.progress import duration
from ingestion.report import IngestReport

if TYPE_CHECKING:  # only a build needs to load it
    from etl.report import EtlReport


def fetched(report: IngestReport) -> str:
    """Return the summary of an ingest run, with the completeness statement."""
    return (
        f"Fetched {report.games_seen:,} games ({report.games_new:,} new, "
        f"{report.games_changed:,} changed, {report.games_unchanged:,} unchanged, "
        f"{report.quarantined:,} rejected) in {duration(report.seconds)}, "
        f"{report.requests:,} requests, {report.pages:,} pages.\n{report.statement}"
    )


def built(report: "EtlReport") -> str:
    """Return the summary of an etl run."""
    if not report.tables:
        return "Nothing is published yet, for nothing was fetched yet; nothing was written."
    if report.mode == "none":
        return f"Nothing new to build in {duration(report.seconds)}; nothing was written."
    rows = sum(table.rows for table in report.tables.values())
    changed = sum(1 for table in report.tables.values() if table.added or table.removed)
    checks, warned = report.checks, ""
    if report.checks.warned:
        warned = f", {checks.warned} warned (`gamelake runs show {report.run_id}` says which)"
    deferred = f"\nLeft to do: {report.deferred}." if report.deferred else ""
    return (
        f"Published run {report.run_id} ({report.mode}) in {duration(report.seconds)}: "
        f"{rows:,} rows in {len(report.tables)} tables, {changed} changed; "
        f"{checks.passed} checks passed{warned}.{deferred}"
    )


def after(report: "EtlReport") -> tuple[str, ...]:
    """Return the commands to suggest after an etl run."""
    return ("gamelake sql", "gamelake status") if report.tables else ("gamelake ingest",)
