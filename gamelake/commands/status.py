"""`gamelake status`: where things stand."""

from gamelake.context import open_lake
from gamelake.lake_status import RunLine, Status, read_status, shown_state
from gamelake.options import Common
from gamelake.session import Session


def run(options: Common, session: Session) -> None:
    """Show last runs, what is published, quota, disk and who is writing."""
    del options
    with open_lake(session.settings) as lake:
        status = read_status(lake)
    session.terminal.result(status.as_dict(), "\n".join(_lines(status)))
    session.terminal.next_steps(*_next(status))


def _lines(status: Status) -> list[str]:
    published = status.published
    shown = (
        "nothing yet"
        if published is None
        else f"{published.games:,} games, {published.rows:,} rows, run {published.run_id}, "
        f"{published.published_at[:19]} UTC"
    )
    left = "unlimited"
    if status.quota:
        left = f"{max(0, status.quota - status.requests_this_month):,} of {status.quota:,} left"
    return [
        f"lake        {status.home}",
        f"published   {shown}",
        f"ingest      {_run(status.last_ingest, status.writer)}",
        f"etl         {_run(status.last_etl, status.writer)}",
        f"known       {status.games_known:,} games, newest change {status.watermark or 'unknown'}",
        f"requests    {status.requests_this_month:,} this month, {left}",
        f"disk        raw {_megabytes(status.bytes_raw)}, "
        f"warehouse {_megabytes(status.bytes_warehouse)}",
        f"writer      {status.writer or 'none'}",
    ]


def _run(line: RunLine | None, writer: str | None) -> str:
    if line is None:
        return "never"
    summary = line.summary
    state, note = shown_state(line, writer)
    facts = [state, line.run_id]
    if "complete" in summary:
        facts.append("complete" if summary["complete"] else "not complete")
    if "mode" in summary:
        facts.append(str(summary["mode"]))
    if note:
        facts.append(note)
    return ", ".join(facts)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _next(status: Status) -> list[str]:
    ingest = status.last_ingest
    if ingest is None or ingest.state in ("paused", "failed", "running"):
        return ["gamelake ingest"] if status.writer is None else []
    return ["gamelake etl"] if status.published is None else ["gamelake sql"]
