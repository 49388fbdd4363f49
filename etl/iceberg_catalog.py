"""Opens the catalog that the profile names, and names what callers need of the contract."""

from etl.iceberg_contract import (
    DataFileInfo,
    LakeCatalog,
    PinnedCatalog,
    PinnedTable,
    Ref,
)
from etl.iceberg_record import RUN_PROPERTY, PublishRecord
from storage.layout import LakePaths
from utils.config import Settings

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
    """Open the catalog of the configured profile; an absent lake gets an empty main.

    Of the stack nothing is asked yet: Nessie and MinIO need not run.
    """
    # Each profile loads its own libraries, and who opens no catalog loads neither.
    if settings.gamelake_profile == "embedded":
        from etl.iceberg_embedded import EmbeddedCatalog  # noqa: PLC0415

        return EmbeddedCatalog(LakePaths(settings.gamelake_home))
    from etl.iceberg_nessie import open_nessie  # noqa: PLC0415

    return open_nessie(settings)
