"""Opens the catalog that the profile names, and names what callers need of the contract."""

from etl.iceberg_contract import (
    DataFileInfo,
    LakeCatalog,
    PinnedCatalog,
    PinnedTable,
    Ref,
)
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_nessie import NessieCatalog
from etl.iceberg_record import RUN_PROPERTY, PublishRecord
from etl.iceberg_warehouse import LOCAL_FILES, BucketFiles, TableFiles
from storage.layout import LakePaths
from storage.minio_client import open_minio_store
from utils.config import Settings

__all__ = [
    "LOCAL_FILES",
    "RUN_PROPERTY",
    "DataFileInfo",
    "LakeCatalog",
    "PinnedCatalog",
    "PinnedTable",
    "PublishRecord",
    "Ref",
    "TableFiles",
    "open_catalog",
]


def open_catalog(settings: Settings) -> LakeCatalog:
    """Open the catalog of the configured profile; an absent lake gets an empty main.

    Of the stack nothing is asked yet: Nessie and MinIO need not run.
    """
    paths = LakePaths(settings.gamelake_home)
    if settings.gamelake_profile == "embedded":
        return EmbeddedCatalog(paths)
    bucket = settings.minio_warehouse_bucket
    store = open_minio_store(
        settings.minio_endpoint,
        settings.minio_access_key.get_secret_value(),
        settings.minio_secret_key.get_secret_value(),
        bucket,
    )
    files = BucketFiles(store, f"s3://{bucket}/", paths.scratch)
    return NessieCatalog(settings.nessie_uri, files)
