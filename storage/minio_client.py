"""The object store on MinIO: the contract of storage/object_store.py over S3.

Create-only is the server's (see storage/minio_http.py). Every object carries the SHA-256 of its
bytes as metadata: a repeated put is recognised by it without reading the object back, and every
download is checked against it. MinIO checks each part of an upload in the same way, and answers
when it is on disk. An upload that dies half way is in no listing; MinIO drops it after a day.
"""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from minio import Minio
from minio.datatypes import Object
from minio.error import S3Error
from pyarrow import fs

from storage.minio_bucket import check_bucket
from storage.minio_download import DIGEST, download
from storage.minio_errors import code_of, minio_errors
from storage.minio_http import (
    ANSWER_S,
    CONNECT_S,
    REGION,
    MinioAddress,
    connect,
    parse_address,
)
from storage.object_store import ObjectInfo, absent, check_key, taken
from utils.seams import operation

PART_BYTES = 16 << 20  # larger objects go up in parts of this size
_LOOK_FIRST = 256 << 10  # above, MinIO refuses a body by closing the connection on it
_PARALLEL_PARTS = 4
_PARALLEL_FILES = 8


def open_minio_store(endpoint: str, access_key: str, secret_key: str, bucket: str) -> "MinioStore":
    """Return the store in `bucket`; connects with the first use, so nothing need run yet.

    Raises UsageError naming the setting that cannot be used.
    """
    check_bucket(bucket)
    address = parse_address(endpoint, access_key, secret_key)
    return MinioStore(connect(address), address, bucket)


class MinioStore:
    """An object store in one bucket of MinIO."""

    def __init__(self, client: Minio, address: MinioAddress, bucket: str) -> None:
        self._client = client
        self._address = address
        self._bucket = bucket

    def put(self, key: str, data: bytes) -> None:
        """Create `key` from `data`; see ObjectStore.put."""
        self._create(key, io.BytesIO(data), len(data), digest=hashlib.sha256(data).hexdigest())

    def put_file(self, key: str, path: Path) -> None:
        """Create `key` from a local file, a large one in parts; see ObjectStore.put_file."""
        with path.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            self._create(key, source, os.fstat(source.fileno()).st_size, digest=digest)

    def get(self, key: str) -> bytes:
        """Return the bytes of `key`, checked; see ObjectStore.get."""
        buffer = io.BytesIO()
        self._download(key, buffer)
        return buffer.getvalue()

    def get_file(self, key: str, path: Path) -> None:
        """Copy `key` to a local file, which appears whole; see ObjectStore.get_file."""
        temporary = path.with_name(f"{path.name}.tmp")
        try:
            with temporary.open("wb") as sink:
                self._download(key, sink)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def fetch(self, keys: Sequence[str], folder: Path) -> list[Path]:
        """Download `keys` side by side to their places under `folder`; see ObjectStore.fetch."""
        paths = {key: folder.joinpath(*check_key(key)) for key in keys}
        for parent in {path.parent for path in paths.values()}:
            parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_PARALLEL_FILES) as pool:
            list(pool.map(self.get_file, paths.keys(), paths.values()))
        return [paths[key] for key in keys]

    def stat(self, key: str) -> ObjectInfo | None:
        """Return size of `key`, or None; see ObjectStore.stat."""
        check_key(key)
        with self._errors("look at an object", key):
            found = self._head(key)
        return None if found is None else ObjectInfo(key, found.size or 0)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield objects under `prefix` by key, 1,000 a request; see ObjectStore.list."""
        with self._errors("list objects", prefix):
            for found in self._client.list_objects(self._bucket, prefix, recursive=True):
                yield ObjectInfo(found.object_name or "", found.size or 0)

    def uri(self, key: str) -> str:
        """Return the S3 address of `key`."""
        check_key(key)
        return f"s3://{self._bucket}/{key}"

    def arrow_filesystem(self) -> tuple[fs.FileSystem, str]:
        """Return a filesystem of Arrow's and the bucket; see ObjectStore.arrow_filesystem."""
        filesystem = fs.S3FileSystem(
            access_key=self._address.access_key,
            secret_key=self._address.secret_key,
            endpoint_override=self._address.host,
            scheme="https" if self._address.secure else "http",
            region=REGION,
            connect_timeout=CONNECT_S,
            request_timeout=ANSWER_S,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=2),
        )
        return filesystem, self._bucket

    def read_table(self, keys: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """Return the rows of parquet objects, read side by side; see ObjectStore.read_table."""
        wanted = None if columns is None else [*columns]

        def read(key: str) -> pa.Table:
            with pq.ParquetFile(pa.BufferReader(self.get(key))) as file:
                return file.read(columns=wanted)

        with ThreadPoolExecutor(_PARALLEL_FILES) as pool:
            tables = list(pool.map(read, keys))
        return pa.concat_tables(tables) if tables else pa.table({})

    def _errors(self, doing: str, subject: str) -> AbstractContextManager[None]:
        return minio_errors(self._address, doing, f"{self._bucket}/{subject}")

    def _create(self, key: str, source: BinaryIO, size: int, *, digest: str) -> None:
        check_key(key)
        with operation("store.put"), self._errors("write an object", key):
            if size > _LOOK_FIRST and self._head(key):
                self._require_same(key, digest)
                return
            try:
                self._client.put_object(
                    self._bucket,
                    key,
                    source,
                    size,
                    metadata={"sha256": digest},
                    part_size=PART_BYTES,
                    num_parallel_uploads=_PARALLEL_PARTS,
                )
            except S3Error as error:
                if error.code != "PreconditionFailed":  # the key is there already
                    raise
                self._require_same(key, digest)

    def _require_same(self, key: str, digest: str) -> None:
        found = self._head(key)
        if found is None:
            raise absent(key, self._bucket)  # somebody removed it just now
        stored = (found.metadata or {}).get(DIGEST) or self._download(key, io.BytesIO())
        if stored != digest:
            raise taken(key)

    def _head(self, key: str) -> Object | None:
        try:
            return self._client.stat_object(self._bucket, key)
        except S3Error as error:
            if code_of(error) == "NoSuchKey":
                return None
            raise

    def _download(self, key: str, sink: BinaryIO) -> str:
        check_key(key)
        with self._errors("read an object", key):
            try:
                return download(self._client, self._bucket, key, sink)
            except S3Error as error:
                if error.code == "NoSuchKey":
                    raise absent(key, self._bucket) from None
                raise
