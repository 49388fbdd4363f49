"""`gamelake plan`: what `ingest` would do; nothing is written to raw."""

from gamelake.context import open_lake
from gamelake.fetching import ingest_context, ingest_request
from gamelake.options import Scope
from gamelake.session import Session
from ingestion.ingest_pipeline import plan_ingest


def run(options: Scope, session: Session) -> None:
    """Ask the source for its counts and show windows, requests, quota and time."""
    with (
        open_lake(session.settings, create=True) as lake,
        ingest_context(lake, session, wait_s=options.wait) as ctx,
    ):
        plan = plan_ingest(ctx, ingest_request(options))
    session.terminal.result(plan.as_dict(), str(plan))
    session.terminal.next_steps("gamelake ingest", "gamelake run")
