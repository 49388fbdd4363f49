"""`gamelake ingest`: fetch what is new or changed."""

from gamelake.commands import plan
from gamelake.context import open_lake
from gamelake.fetching import fetch
from gamelake.options import Ingest
from gamelake.session import Session
from gamelake.summaries import fetched


def run(options: Ingest, session: Session) -> None:
    """Fetch, or with `--dry-run` only show the plan."""
    if options.dry_run:
        plan.run(options, session)
        return
    with open_lake(session.settings, create=True) as lake:
        report = fetch(lake, session, options)
    session.terminal.result(report.as_dict(), fetched(report))
    session.terminal.next_steps("gamelake etl", "gamelake status")
