"""A look at the two files that say what the lake holds."""

from pathlib import Path

from gamelake.context import database_url
from gamelake.diagnosis import Diagnosis
from storage.database.probe import look
from storage.layout import LakePaths
from utils.config import Settings
from utils.errors import GamelakeError, UsageError

_WAIT_S = 2.0


def check_lake(settings: Settings) -> Diagnosis:
    """The operational store and the catalog open, where they are files; nothing is changed.

    For servers, `gamelake check-services` does this.
    """
    paths = LakePaths(settings.gamelake_home)
    is_file = not settings.database_url.get_secret_value()
    try:
        if is_file and paths.store.is_file():
            _look_at_store(settings, paths.store)
        if settings.gamelake_profile == "embedded" and paths.catalog.is_file():
            # Loads pyiceberg, which doctor needs for nothing else.
            from etl.iceberg_pointers import check_file  # noqa: PLC0415

            check_file(paths.catalog)
    except GamelakeError as error:
        return Diagnosis("lake", "fail", f"{error.subject}: {error.message}", error.hint)
    there = [path.name for path in (paths.store, paths.catalog) if path.is_file()]
    return Diagnosis("lake", "ok", f"{', '.join(there)} can be read" if there else "none here yet")


def _look_at_store(settings: Settings, path: Path) -> None:
    found = look(database_url(settings), timeout_s=_WAIT_S).migrations
    if found.state == "newer":
        raise UsageError(
            f"its schema {found.current} is of a newer gamelake",
            operation="look at the operational store",
            subject=str(path),
            hint="upgrade gamelake",
        )
