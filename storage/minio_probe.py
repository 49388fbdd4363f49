"""Short questions to MinIO: may our key read and write a bucket? Nothing is left behind."""

from collections.abc import Callable
from dataclasses import dataclass

import urllib3
from minio import Minio
from minio.error import S3Error

from storage.minio_bucket import check_bucket
from storage.minio_errors import code_of, minio_errors
from storage.minio_http import REGION, MinioAddress
from storage.minio_roles import Right, Rights

_PROBE_KEY = ".gamelake-check"


@dataclass(frozen=True)
class BucketAccess:
    """What our key may do in a bucket; reading an `empty` one is proven by listing it alone."""

    rights: Rights
    empty: bool


def probe_bucket(address: MinioAddress, bucket: str, *, timeout_s: float) -> BucketAccess:
    """List, read and write; a right that MinIO denies is missing in the answer.

    Writing is proven by beginning an upload and giving it up: raw is append-only, so an object
    could not be removed again. Raises ServiceDown or UsageError for any other trouble.
    """
    check_bucket(bucket)
    client = _client(address, timeout_s)
    found: list[str] = []

    def read() -> None:
        first = next(iter(client.list_objects(bucket, recursive=True)), None)
        if first is not None:
            found.append(first.object_name or "")
            _get(client, bucket, found[0])

    def write() -> None:
        upload = client._create_multipart_upload(bucket, _PROBE_KEY, {})
        client._abort_multipart_upload(bucket, _PROBE_KEY, upload)

    with minio_errors(address, "look into a bucket", bucket):
        may: dict[Right, bool] = {"read": _allowed(read), "write": _allowed(write)}
    return BucketAccess(frozenset(right for right, given in may.items() if given), not found)


def probe_object(address: MinioAddress, bucket: str, key: str, *, timeout_s: float) -> None:
    """Read a first byte of an object; raises ServiceDown or UsageError when that fails."""
    with minio_errors(address, "read an object", f"{bucket}/{key}"):
        _get(_client(address, timeout_s), bucket, key)


def _get(client: Minio, bucket: str, key: str) -> None:
    response = client.get_object(bucket, key, length=1)
    response.close()
    response.release_conn()


def _allowed(attempt: Callable[[], None]) -> bool:
    try:
        attempt()
    except S3Error as error:
        if code_of(error) != "AccessDenied":
            raise
        return False
    return True


def _client(address: MinioAddress, timeout_s: float) -> Minio:
    return Minio(
        address.host,
        address.access_key,
        address.secret_key,
        secure=address.secure,
        region=REGION,
        http_client=urllib3.PoolManager(timeout=urllib3.Timeout(timeout_s), retries=False),
    )
