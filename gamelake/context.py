"""The composition root: from settings to an open lake and the contexts that the parts ask for."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from etl.context import EtlContext
from etl.iceberg_catalog import LakeCatalog, open_catalog
from gamelake.progress import shown
from gamelake.session import Session
from ingestion.context import IngestContext
from storage.database.session import Database
from storage.database.writer import hold_writer
from storage.layout import LakePaths
from storage.object_store import LocalFolderStore, ObjectStore
from utils.clock import SystemClock
from utils.config import Settings
from utils.errors import UsageError


@dataclass(frozen=True)
class Lake:
    """An open lake: everything under one GAMELAKE_HOME."""

    settings: Settings
    paths: LakePaths
    raw: ObjectStore
    database: Database
    catalog: LakeCatalog


@contextmanager
def open_lake(settings: Settings, *, create: bool = False) -> Iterator[Lake]:
    """Open the configured lake; raises UsageError when there is none, unless `create`."""
    paths = LakePaths(settings.gamelake_home)
    if settings.gamelake_profile != "embedded":
        raise UsageError(
            f"the profile {settings.gamelake_profile} is not part of this version",
            operation="open the lake",
            subject="GAMELAKE_PROFILE",
            hint="set GAMELAKE_PROFILE=embedded: a folder, no server",
        )
    if not create and not paths.store.is_file():
        raise UsageError(
            f"there is no lake in {paths.home}",
            operation="open the lake",
            subject=str(paths.home),
            hint="gamelake run (or gamelake demo) builds one; GAMELAKE_HOME says where it is",
        )
    with (
        Database.open(database_url(settings)) as database,
        closing(open_catalog(settings)) as catalog,
    ):
        yield Lake(settings, paths, LocalFolderStore(paths.raw), database, catalog)


def database_url(settings: Settings) -> str:
    """Return the address of the operational store: DATABASE_URL, or a file in the lake."""
    own = LakePaths(settings.gamelake_home).store.absolute()
    return settings.database_url.get_secret_value() or f"sqlite:///{own}"


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
            scratch=lake.paths.home / "tmp",
            progress=progress,
            clock=SystemClock(),
        )
