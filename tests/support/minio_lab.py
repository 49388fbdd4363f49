"""Stores on a real MinIO, each in a bucket of its own."""

import uuid
from dataclasses import dataclass

import pyarrow as pa
from cutting_proxy import CuttingProxy

from storage.minio_bucket import make_bucket
from storage.minio_client import MinioStore, open_minio_store
from testbed.servers import MinioServer


@dataclass(frozen=True)
class MinioLab:
    """One bucket of a server: stores on it, directly or through something that breaks."""

    server: MinioServer
    bucket: str

    def store(self, endpoint: str | None = None) -> MinioStore:
        """Return a new client of the bucket, at another address if told so."""
        server = self.server
        at = endpoint or server.endpoint
        return open_minio_store(at, server.access_key, server.secret_key, self.bucket)

    def through(self, proxy: CuttingProxy) -> MinioStore:
        """Return a new client whose connections go through `proxy`."""
        return self.store(f"127.0.0.1:{proxy.port}")

    def unfinished(self) -> list[str]:
        """Return the keys of uploads that were begun and neither completed nor given up."""
        uploads = self.server.client()._list_multipart_uploads(self.bucket, prefix="")
        return [upload.object_name for upload in uploads.uploads]


def new_lab(server: MinioServer) -> MinioLab:
    """Return a lab in an empty bucket."""
    bucket = f"lab-{uuid.uuid4().hex}"
    make_bucket(server.endpoint, server.access_key, server.secret_key, bucket)
    return MinioLab(server, bucket)


def rows(*ids: int) -> pa.Table:
    """Return a small table with these ids."""
    return pa.table({"id": [*ids], "name": [str(one) for one in ids]})
