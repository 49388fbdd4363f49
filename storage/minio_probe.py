"""Short questions to MinIO: may our key list, read and write a bucket? Nothing is left behind."""

import urllib3
from minio import Minio

from storage.minio_bucket import check_bucket
from storage.minio_errors import minio_errors
from storage.minio_http import REGION, MinioAddress

_PROBE_KEY = ".gamelake-check"


def probe_bucket(address: MinioAddress, bucket: str, *, timeout_s: float) -> str:
    """List, read and write; return what could be proven.

    Writing is proven by beginning an upload and giving it up: raw is append-only, so an object
    could not be removed again. Raises ServiceDown or UsageError saying what is not allowed.
    """
    check_bucket(bucket)
    client = _client(address, timeout_s)
    with minio_errors(address, "list a bucket", bucket):
        first = next(iter(client.list_objects(bucket, recursive=True)), None)
    if first is not None:
        _read(client, address, bucket, first.object_name or "")
    with minio_errors(address, "write to a bucket", bucket):
        upload = client._create_multipart_upload(bucket, _PROBE_KEY, {})
        client._abort_multipart_upload(bucket, _PROBE_KEY, upload)
    return "empty, can be written" if first is None else "can be read and written"


def probe_object(address: MinioAddress, bucket: str, key: str, *, timeout_s: float) -> None:
    """Read a first byte of an object; raises ServiceDown or UsageError when that fails."""
    _read(_client(address, timeout_s), address, bucket, key)


def _read(client: Minio, address: MinioAddress, bucket: str, key: str) -> None:
    with minio_errors(address, "read an object", f"{bucket}/{key}"):
        response = client.get_object(bucket, key, length=1)
        response.close()
        response.release_conn()


def _client(address: MinioAddress, timeout_s: float) -> Minio:
    return Minio(
        address.host,
        address.access_key,
        address.secret_key,
        secure=address.secure,
        region=REGION,
        http_client=urllib3.PoolManager(timeout=urllib3.Timeout(timeout_s), retries=False),
    )
