"""Outside world to raw, for the commands that fetch; nothing here loads what only a build needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from gamelake.context import Lake
from gamelake.options import Scope
from gamelake.progress import shown
from gamelake.session import Session
from gamelake.summaries import fetched
from ingestion.context import IngestContext, IngestRequest
from ingestion.ingest_pipeline import run_ingest
from ingestion.report import IngestReport
from utils.clock import SystemClock
from utils.errors import GamelakeError
from utils.interpreter import seldom_collected


def fetch(lake: Lake, session: Session, options: Scope) -> IngestReport:
    """Store what is new or changed at the source; see run_ingest for the errors."""
    with ingest_context(lake, session, wait_s=options.wait) as ctx:
        try:
            return run_ingest(ctx, ingest_request(options))
        except GamelakeError as error:
            if isinstance(error.report, IngestReport):
                session.terminal.note(fetched(error.report))
            raise


@contextmanager
def ingest_context(lake: Lake, session: Session, *, wait_s: float) -> Iterator[IngestContext]:
    """Give what ingestion asks for; the first Ctrl-C ends it in order."""
    with (
        seldom_collected(),
        shown(session.terminal) as progress,
        session.interrupts.graceful() as stop,
    ):
        yield IngestContext(
            settings=lake.settings,
            raw=lake.raw,
            database=lake.database,
            spool=lake.paths.spool,
            progress=progress,
            clock=SystemClock(),
            stop=stop,
            wait_s=wait_s,
        )


def ingest_request(options: Scope) -> IngestRequest:
    """Translate the command line for ingestion."""
    return IngestRequest(
        first=options.first,
        last=options.last,
        limit=options.limit,
        full=options.full,
        strategy=options.strategy,
    )
