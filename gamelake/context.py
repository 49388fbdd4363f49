"""The composition root: from settings to an open lake."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
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

    @cached_property
    def catalog(self) -> LakeCatalog:
        """The catalog, opened when first asked for: a fetch does without it."""
        return open_catalog(self.settings)

    def close_catalog(self) -> None:
        """Close the catalog if it was opened."""
        if "catalog" in vars(self):
            self.catalog.close()


@contextmanager
def open_lake(settings: Settings, *, create: bool = False) -> Iterator[Lake]:
    """Open the configured lake; raises UsageError when there is none, unless `create`.

    Raw alone is a lake: everything else can be made from it again.
    """
    paths = LakePaths(settings.gamelake_home)
    _check_home(paths.home)
    if not (create or _has_lake(settings)):
        raise UsageError(
            f"there is no lake in {paths.home}",
            operation="open the lake",
            subject=str(paths.home),
            hint="gamelake run (or gamelake demo) builds one; GAMELAKE_HOME says where it is",
        )
    with (
        _nothing_left_of_a_false_start(paths),
        Database.open(database_url(settings)) as database,
    ):
        lake = Lake(settings, paths, _raw_store(settings), database)
        try:
            yield lake
        finally:
            lake.close_catalog()


def _has_lake(settings: Settings) -> bool:
    """Return whether there may be a lake: of the stack, the servers know."""
    paths = LakePaths(settings.gamelake_home)
    return settings.gamelake_profile == "stack" or paths.store.is_file() or paths.raw.is_dir()


def _raw_store(settings: Settings) -> ObjectStore:
    if settings.gamelake_profile == "embedded":
        return LocalFolderStore(LakePaths(settings.gamelake_home).raw)
    from storage.minio_client import open_minio_store  # noqa: PLC0415 - only the stack loads it

    return open_minio_store(
        settings.minio_endpoint,
        settings.minio_access_key.get_secret_value(),
        settings.minio_secret_key.get_secret_value(),
        settings.minio_raw_bucket,
    )


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
            if not existed and home.is_dir() and not any(home.iterdir()):
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
    """Return the address of the operational store: DATABASE_URL, or a file in the lake.

    Raises UsageError when the stack has none: a file of one machine would keep no other away.
    """
    if address := settings.database_url.get_secret_value():
        return address
    if settings.gamelake_profile == "stack":
        raise UsageError(
            "DATABASE_URL is not set",
            operation="open the operational store",
            subject="DATABASE_URL",
            hint="set it to the stack's PostgreSQL; `make up` writes it to .env",
        )
    return f"sqlite:///{LakePaths(settings.gamelake_home).store.absolute()}"
