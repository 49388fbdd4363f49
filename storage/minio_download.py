"""Reading one object of MinIO, checked against the SHA-256 it was stored with."""

import hashlib
from contextlib import closing
from typing import BinaryIO

from minio import Minio
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from utils.errors import Damaged

DIGEST = "x-amz-meta-sha256"
_TRIES = 2
_CHUNK = 1 << 20


def download(client: Minio, bucket: str, key: str, sink: BinaryIO) -> str:
    """Write `key` to the start of `sink`, once more if the connection breaks; return its SHA-256.

    Raises Damaged when these are not the bytes stored, and what minio-py raises.
    """
    for left in reversed(range(_TRIES)):
        sink.seek(0)
        sink.truncate()
        try:
            with closing(client.get_object(bucket, key)) as response:
                return _copy(response, sink, key)
        except (ProtocolError, ReadTimeoutError):
            if not left:
                raise
    raise AssertionError


def _copy(response: BaseHTTPResponse, sink: BinaryIO, key: str) -> str:
    digest = hashlib.sha256()
    for chunk in response.stream(_CHUNK):
        digest.update(chunk)
        sink.write(chunk)
    response.release_conn()  # read to its end: the next request may have the connection
    found = digest.hexdigest()
    if response.headers.get(DIGEST, found) != found:
        raise Damaged(
            f"the object {key} does not have the bytes it was stored with",
            operation="read an object",
            subject=key,
            hint="run `gamelake verify`; restore the object from a copy of the bucket",
        )
    return found
