"""What ingestion and etl ask for, made from an open lake and the session of a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.context import EtlContext
from etl.spark_settings import spark_settings
from gamelake.context import Lake
from gamelake.progress import shown
from gamelake.session import Session
from ingestion.context import IngestContext
from storage.database.writer import hold_writer
from utils.clock import SystemClock


@contextmanager
def ingest_context(lake: Lake, session: Session, *, wait_s: float) -> Iterator[IngestContext]:
    """Give what ingestion asks for; the first Ctrl-C ends it in order."""
    with shown(session.terminal) as progress, session.interrupts.graceful() as stop:
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


@contextmanager
def etl_context(lake: Lake, session: Session, *, wait_s: float) -> Iterator[EtlContext]:
    """Give what the build asks for, holding the right to write to the lake."""
    with (
        hold_writer(lake.database, wait_s=wait_s) as lease,
        shown(session.terminal) as progress,
    ):
        yield EtlContext(
            raw=lake.raw,
            database=lake.database,
            catalog=lake.catalog,
            lease=lease,
            scratch=lake.paths.scratch,
            spark=spark_settings(lake.settings),
            memory_mb=lake.settings.gamelake_memory_mb,
            progress=progress,
            clock=SystemClock(),
        )
