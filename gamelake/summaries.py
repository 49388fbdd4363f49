"""What a run did, in the past tense."""

from etl.report import EtlReport
from gamelake.progress import duration
from ingestion.report import IngestReport, Plan


def fetched(report: IngestReport) -> str:
    """Return the summary of an ingest run, with its completeness statement."""
    lines = [
        f"Fetched {report.games_seen:,} games ({report.games_new:,} new, "
        f"{report.games_changed:,} changed, {report.games_unchanged:,} unchanged, "
        f"{report.quarantined:,} rejected) in {duration(report.seconds)}, "
        f"{report.requests:,} requests, {report.pages:,} pages.",
        completeness(report),
    ]
    return "\n".join(lines)


def completeness(report: IngestReport) -> str:
    """Return a statement that a reader can check: what the source counts, what was read."""
    counted = sum(window.api_count or 0 for window in report.windows)
    read = sum(window.fetched for window in report.windows)
    verdict = "Complete" if report.complete else f"Not complete ({report.state})"
    return (
        f"{verdict}: {len(report.windows):,} windows, "
        f"the source counts {counted:,} games in them, {read:,} were read."
    )


def built(report: EtlReport) -> str:
    """Return the summary of an etl run."""
    if report.mode == "none":
        return f"Nothing new to build in {duration(report.seconds)}; nothing was written."
    rows = sum(table.rows for table in report.tables.values())
    changed = sum(1 for table in report.tables.values() if table.added or table.removed)
    checks = report.checks
    lines = [
        f"Published run {report.run_id} ({report.mode}) in {duration(report.seconds)}: "
        f"{rows:,} rows in {len(report.tables)} tables, {changed} changed; "
        f"checks: {checks.passed} passed, {checks.warned} warned."
    ]
    lines += [f"  warning: {line}" for line in report.warnings]
    return "\n".join(lines)


def planned(plan: Plan) -> str:
    """Return the plan: windows, requests, quota, time."""
    return str(plan)
