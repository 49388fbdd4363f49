"""Buckets of MinIO: which names they can have, and making one."""

import re

from minio.error import S3Error

from storage.minio_errors import minio_errors
from storage.minio_http import connect, parse_address
from utils.errors import UsageError
from utils.seams import operation

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def check_bucket(name: str) -> None:
    """Raise UsageError when no bucket can have this name."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name of a bucket",
            operation="read settings",
            subject=name,
            hint="set MINIO_RAW_BUCKET and MINIO_WAREHOUSE_BUCKET to 3 to 63 small letters, "
            "digits, dots and dashes",
        )


def make_bucket(endpoint: str, access_key: str, secret_key: str, bucket: str) -> None:
    """Create `bucket` unless it is there; raises ServiceDown or UsageError when it cannot."""
    check_bucket(bucket)
    address = parse_address(endpoint, access_key, secret_key)
    client = connect(address)
    with operation("store.bucket"), minio_errors(address, "create a bucket", bucket):
        try:
            client.make_bucket(bucket)
        except S3Error as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise
