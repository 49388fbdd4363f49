"""`gamelake runs`: history of runs, and one run in full."""

from dataclasses import asdict
from typing import Any

from gamelake.context import Lake, open_lake
from gamelake.lake_status import run_line, shown_state
from gamelake.options import Runs
from gamelake.session import Session
from gamelake.terminal import table
from storage.database.repositories.checks import CheckRow
from storage.layout import WRITER_LEASE, etl_branch, run_tag
from utils.errors import UsageError


def run(options: Runs, session: Session) -> None:
    """List the newest runs, or show one."""
    with open_lake(session.settings) as lake:
        if options.action == "list":
            _list(lake, options, session)
        else:
            _show(lake, options, session)


def _list(lake: Lake, options: Runs, session: Session) -> None:
    with lake.database.reading() as unit:
        lines = [run_line(run) for run in unit.runs.list(limit=options.limit)]
        writer = unit.leases.holder(WRITER_LEASE, lake.database.clock.now())
    header = ("run", "kind", "state", "started", "note")
    rows = []
    for line in lines:
        state, note = shown_state(line, writer)
        rows.append((line.run_id, line.kind, state, (line.started_at or "")[:19], note))
    session.terminal.result([asdict(line) for line in lines], table(header, rows))
    session.terminal.next_steps("gamelake runs show ID")


def _show(lake: Lake, options: Runs, session: Session) -> None:
    if options.run_id is None:
        raise UsageError(
            "which run?", operation="runs show", subject="ID", hint="gamelake runs lists them"
        )
    with lake.database.reading() as unit:
        run = unit.runs.get(options.run_id)
        writer = unit.leases.holder(WRITER_LEASE, lake.database.clock.now())
        moves = unit.runs.history(options.run_id)
        windows = unit.windows.list(options.run_id)
        checks = unit.checks.list(options.run_id)
    references = lake.catalog.references()
    wanted = (run_tag(run.run_id), etl_branch(run.run_id))
    data: dict[str, Any] = {
        **asdict(run),
        "history": [asdict(move) for move in moves],
        "windows": [asdict(window) for window in windows],
        "checks": [asdict(check) for check in checks],
        "references": [name for name in wanted if name in references],
    }
    state, note = shown_state(run, writer)
    lines = [
        f"run {run.run_id}: {run.kind}, {state}" + (f", {note}" if note else ""),
        *(f"  {move.at[:19]}  {move.to_state}  {move.reason}".rstrip() for move in moves),
        *(f"  {key}: {value}" for key, value in run.summary.items() if key not in _TABLES),
        *_windows(data["windows"]),
        *_checks(checks),
        *(f"kept as {name}" for name in data["references"]),
    ]
    session.terminal.result(data, "\n".join(lines))


_TABLES = ("windows", "tables", "warnings")  # shown as tables of their own, or in --json


def _windows(windows: list[dict[str, Any]]) -> list[str]:
    if not windows:
        return []
    header = ("window", "state", "api_count", "fetched", "note")
    return [table(header, [[window[name] for name in header] for window in windows])]


def _checks(checks: list[CheckRow]) -> list[str]:
    """Return failures first, then warnings, then how many passed."""
    lines = [
        f"check {check.outcome}: {check.detail or check.name}"
        for outcome in ("failed", "warned")
        for check in checks
        if check.outcome == outcome
    ]
    passed = sum(1 for check in checks if check.outcome == "passed")
    return [*lines, f"{passed} checks passed"] if checks else []
