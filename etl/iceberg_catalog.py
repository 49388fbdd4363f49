"""Opens the catalog that the profile names, and names what callers need of the contract."""

from etl.iceberg_contract import (
    DataFileInfo,
    LakeCatalog,
    PinnedCatalog,
    PinnedTable,
    Ref,
)
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_record import RUN_PROPERTY, PublishRecord
from storage.layout import LakePaths
from utils.config import Settings
from utils.errors import UsageError

__all__ = [
    "RUN_PROPERTY",
    "DataFileInfo",
    "LakeCatalog",
    "PinnedCatalog",
    "PinnedTable",
    "PublishRecord",
    "Ref",
    "open_catalog",
]


def open_catalog(settings: Settings) -> LakeCatalog:
    """Open the catalog of the configured profile; an absent lake gets an empty main."""
    if settings.gamelake_profile == "embedded":
        return EmbeddedCatalog(LakePaths(settings.gamelake_home))
    raise UsageError(
        f"profile {settings.gamelake_profile!r} has no catalog yet",
        operation="open catalog",
        subject="GAMELAKE_PROFILE",
        hint="set GAMELAKE_PROFILE=embedded",
    )
