"""What a build asks for, made from an open lake and the session of a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.context import EtlContext
from etl.spark_settings import spark_settings
from gamelake.context import Lake
from gamelake.progress import shown
from gamelake.session import Session
from storage.database.writer import hold_writer
from utils.clock import SystemClock
from utils.interpreter import seldom_collected


@contextmanager
def etl_context(lake: Lake, session: Session, *, wait_s: float) -> Iterator[EtlContext]:
    """Give what the build asks for, holding the right to write to the lake."""
    catalog = lake.catalog  # loads what the profile needs
    with (
        seldom_collected(),
        hold_writer(lake.database, wait_s=wait_s, above=catalog.fence()) as lease,
        shown(session.terminal) as progress,
    ):
        yield EtlContext(
            raw=lake.raw,
            database=lake.database,
            catalog=catalog,
            lease=lease,
            scratch=lake.paths.scratch,
            spark=spark_settings(lake.settings),
            memory_mb=lake.settings.gamelake_memory_mb,
            progress=progress,
            clock=SystemClock(),
        )
