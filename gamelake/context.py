"""The composition root: from settings to an open lake."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from etl.iceberg_catalog import LakeCatalog, open_catalog
from storage.database.session import Database
from storage.layout import LakePaths
from storage.object_store import LocalFolderStore, ObjectStore
from utils.config import Settings
from utils.errors import SourceError, UsageError


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
    """Open the configured lake; raises UsageError when there is none, unless `create`.

    Raw alone is a lake: everything else can be made from it again.
    """
    paths = LakePaths(settings.gamelake_home)
    if settings.gamelake_profile != "embedded":
        raise UsageError(
            f"the profile {settings.gamelake_profile} is not part of this version",
            operation="open the lake",
            subject="GAMELAKE_PROFILE",
            hint="set GAMELAKE_PROFILE=embedded: a folder, no server",
        )
    _check_home(paths.home)
    if not (create or paths.store.is_file() or paths.raw.is_dir()):
        raise UsageError(
            f"there is no lake in {paths.home}",
            operation="open the lake",
            subject=str(paths.home),
            hint="gamelake run (or gamelake demo) builds one; GAMELAKE_HOME says where it is",
        )
    with (
        _nothing_left_of_a_false_start(paths),
        Database.open(database_url(settings)) as database,
        closing(open_catalog(settings)) as catalog,
    ):
        yield Lake(settings, paths, LocalFolderStore(paths.raw), database, catalog)


@contextmanager
def _nothing_left_of_a_false_start(paths: LakePaths) -> Iterator[None]:
    """Leave no lake behind where there was none and the key or the command line was refused."""
    home, existed = paths.home, paths.home.exists()
    fresh = not existed or not any(home.iterdir())
    try:
        yield
    except (SourceError, UsageError):
        if fresh and not paths.raw.exists() and not paths.spool.exists():
            for path in (paths.store, paths.catalog):
                for file in home.glob(f"{path.name}*"):  # with SQLite's -wal and -shm
                    file.unlink()
            if not existed and not any(home.iterdir()):
                home.rmdir()
        raise


def _check_home(home: Path) -> None:
    """Raise UsageError when a file stands where the lake's folder, or one above it, should be."""
    found = existing_folder(home.absolute())
    if not found.is_dir():
        raise UsageError(
            f"{found} is no folder, so no lake can be in {home}",
            operation="open the lake",
            subject="GAMELAKE_HOME",
            hint="set GAMELAKE_HOME to a folder, or to one that can be made",
        )


def existing_folder(path: Path) -> Path:
    """Return `path`, or the nearest folder above it that exists."""
    return path if path.exists() else existing_folder(path.parent)


def database_url(settings: Settings) -> str:
    """Return the address of the operational store: DATABASE_URL, or a file in the lake."""
    own = LakePaths(settings.gamelake_home).store.absolute()
    return settings.database_url.get_secret_value() or f"sqlite:///{own}"
