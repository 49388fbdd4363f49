"""`gamelake run`: ingest, then etl."""

from gamelake.context import open_lake
from gamelake.dremio_views import bring_views
from gamelake.options import Run
from gamelake.run import fetch_and_build
from gamelake.session import Session
from gamelake.summaries import after, built, fetched


def run(options: Run, session: Session) -> None:
    """Fetch, then build from what was stored."""
    with open_lake(session.settings, create=True) as lake:
        ingest, etl = fetch_and_build(lake, session, options)
    bring_views(session)
    text = f"{fetched(ingest)}\n{built(etl)}"
    session.terminal.result({"ingest": ingest.as_dict(), "etl": etl.as_dict()}, text)
    session.terminal.next_steps(*after(etl))
