"""The two sources that Dremio gets, with exactly the fields that it knows.

Addresses are those of Dremio's container: it reaches MinIO and Nessie by other names than we do.
Dremio puts the scheme before the S3 endpoint by itself, so it must not be in there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from serving.dremio_text import NESSIE, RAW
from utils.config import Settings
from utils.errors import UsageError

# In `description` of a source that we made; one with another text belongs to somebody else.
SOURCE_MARK = "Made by gamelake dremio-setup, which overwrites changes made here."
SECRETS = frozenset({"awsAccessSecret", "accessSecret"})
_HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Storage:
    """Where Dremio reads objects, and as whom: host:port without a scheme."""

    endpoint: str
    secure: bool
    access_key: str
    secret_key: str

    def properties(self) -> list[dict[str, str]]:
        """Return the connection properties that both sources need."""
        return [
            {"name": "fs.s3a.path.style.access", "value": "true"},
            {"name": "fs.s3a.endpoint", "value": self.endpoint},
            {"name": "dremio.s3.compat", "value": "true"},
        ]


def storage_of(settings: Settings) -> Storage:
    """Return Dremio's way to MinIO; raises UsageError when the read-only key is missing."""
    secret = settings.minio_analyst_secret_key.get_secret_value()
    if not secret:
        raise UsageError(
            "the key with which Dremio reads MinIO is not set",
            operation="set up Dremio",
            subject="MINIO_ANALYST_SECRET_KEY",
            hint="make up writes it to .env; else set it to a user that may only read",
        )
    address = settings.dremio_minio_endpoint
    parts = urlsplit(address if "://" in address else f"http://{address}")
    return Storage(parts.netloc, parts.scheme == "https", settings.minio_analyst_access_key, secret)


def nessie_source(settings: Settings) -> dict[str, Any]:
    """Return the body of the source with the star's tables."""
    storage = storage_of(settings)
    config = {
        "nessieEndpoint": f"{settings.dremio_nessie_uri.rstrip('/')}/api/v2",
        "nessieAuthType": "NONE",
        "storageProvider": "AWS",
        "credentialType": "ACCESS_KEY",
        "awsAccessKey": storage.access_key,
        "awsAccessSecret": storage.secret_key,
        "awsRootPath": f"/{settings.minio_warehouse_bucket}",
        "secure": storage.secure,
        "asyncEnabled": True,
        "isCachingEnabled": True,
        "maxCacheSpacePct": 100,
        "propertyList": storage.properties(),
    }
    return _source(NESSIE, "NESSIE", config)


def raw_source(settings: Settings) -> dict[str, Any]:
    """Return the body of the source with what the outside world said, as parquet files."""
    storage = storage_of(settings)
    config = {
        "credentialType": "ACCESS_KEY",
        "accessKey": storage.access_key,
        "accessSecret": storage.secret_key,
        "secure": storage.secure,
        "rootPath": f"/{settings.minio_raw_bucket}",
        "compatibilityMode": True,
        "enableAsync": True,
        "enableFileStatusCheck": True,
        "isCachingEnabled": True,
        "maxCacheSpacePct": 100,
        "defaultCtasFormat": "ICEBERG",
        "whitelistedBuckets": [settings.minio_raw_bucket],
        "externalBucketList": [],
        "propertyList": storage.properties(),
    }
    policy = {
        "authTTLMs": 24 * _HOUR_MS,
        "namesRefreshMs": _HOUR_MS,
        "datasetRefreshAfterMs": _HOUR_MS,
        "datasetExpireAfterMs": 3 * _HOUR_MS,
        "datasetUpdateMode": "PREFETCH_QUERIED",
        "deleteUnavailableDatasets": True,
        "autoPromoteDatasets": True,
    }
    return {**_source(RAW, "S3", config), "metadataPolicy": policy}


def _source(name: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "entityType": "source",
        "name": name,
        "type": kind,
        "description": SOURCE_MARK,
        "config": config,
    }


def same_source(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether Dremio holds what is wanted, as far as can be seen: secrets are masked."""
    return all(
        _said(stored.get(part)) == {**_said(stored.get(part)), **_said(wanted.get(part))}
        for part in ("config", "metadataPolicy")
    )


def _said(part: object) -> dict[str, Any]:
    """Return the fields that can be compared, lists in one order; Dremio keeps no empty ones."""
    fields = part if isinstance(part, dict) else {}
    return {
        key: sorted(value, key=str) if isinstance(value, list) else value
        for key, value in fields.items()
        if key not in SECRETS and value not in (None, "", [])
    }
