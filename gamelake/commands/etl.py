"""`gamelake etl`: build and publish."""

from gamelake.context import open_lake
from gamelake.dremio_views import bring_views
from gamelake.options import Etl
from gamelake.run import build, etl_request
from gamelake.session import Session
from gamelake.summaries import after, built


def run(options: Etl, session: Session) -> None:
    """Build the star from raw and publish it."""
    with open_lake(session.settings) as lake:
        report = build(lake, session, options, etl_request(options))
    bring_views(session)
    session.terminal.result(report.as_dict(), built(report))
    session.terminal.next_steps(*after(report))
