"""The HTTP side of the MinIO client: addresses, time limits, and writes that never replace.

minio-py has no parameter for a conditional write, but takes an HTTP client of one's own. Ours adds
`If-None-Match: *` to every request that makes an object appear, so no caller can forget it, and
MinIO decides under its own lock: of two writers of one key one gets 412.
"""

import io
import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import urllib3
from minio import Minio
from minio.error import InvalidResponseError

from utils.errors import UsageError
from utils.seams import operation

CONNECT_S = 4.0
ANSWER_S = 10.0
REGION = "us-east-1"  # MinIO's own; asking the server for it would need one more right
_ATTEMPTS = 3
_REQUEST_ID = "x-amz-request-id"
_SEND_BYTES = 1 << 20
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>[0-9]{1,5}))?")
_SEAMS = {"uploads": "store.begin", "partNumber": "store.part", "uploadId": "store.complete"}


@dataclass(frozen=True)
class MinioAddress:
    """Where MinIO is and who we are there; the secret key is in no text made of it."""

    host: str
    secure: bool
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host}"


def parse_address(endpoint: str, access_key: str, secret_key: str) -> MinioAddress:
    """Read MINIO_ENDPOINT: `host`, `host:port`, or either behind `http://` or `https://`.

    Raises UsageError when it is no such address, or when a key is empty.
    """
    scheme, found, rest = endpoint.strip().rpartition("://")
    host = rest.removesuffix("/")
    if (found and scheme not in ("http", "https")) or not _is_host(host):
        raise UsageError(
            f"{_without_login(host)!r} is not an address of MinIO",
            operation="read settings",
            subject="MINIO_ENDPOINT",
            hint="set MINIO_ENDPOINT to host:port or https://host:port, without a path",
        )
    for name, value in (("MINIO_ACCESS_KEY", access_key), ("MINIO_SECRET_KEY", secret_key)):
        if not value:
            raise UsageError(
                f"{name} is not set",
                operation="read settings",
                subject=name,
                hint=f"set {name} in the environment or in .env; `make up` writes one",
            )
    return MinioAddress(host, scheme == "https", access_key, secret_key)


def _is_host(text: str) -> bool:
    found = _HOST.fullmatch(text)
    return found is not None and 0 < int(found["port"] or 1) <= 65_535


def _without_login(host: str) -> str:
    """Return `host` without what may be a password in front of an `@`."""
    return host.rpartition("@")[2]


def connect(address: MinioAddress, *, connections: int = 16) -> Minio:
    """Return a client that gives up within a few of the time limits above; connects lazily.

    Raises UsageError when minio-py cannot use the address.
    """
    try:
        return Minio(
            address.host,
            address.access_key,
            address.secret_key,
            secure=address.secure,
            region=REGION,
            http_client=_CreateOnly(connections),
        )
    except ValueError as error:
        raise UsageError(
            f"{address} is not an address of MinIO: {error}",
            operation="read settings",
            subject="MINIO_ENDPOINT",
            hint="set MINIO_ENDPOINT to host:port or https://host:port",
        ) from None


class _CreateOnly(urllib3.PoolManager):
    """Connections on which an object can be created but not replaced."""

    def __init__(self, connections: int) -> None:
        # `Retry-After` is not obeyed: MinIO asks for a minute where a second does.
        retries = urllib3.Retry(
            _ATTEMPTS - 1,
            read=1,  # so that a server which hangs is given up in twice ANSWER_S
            backoff_factor=0.2,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=None,  # also POST: what may come twice is create-only
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        super().__init__(
            maxsize=connections,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=ANSWER_S),
            retries=retries,
            blocksize=_SEND_BYTES,
        )

    def urlopen(  # type: ignore[override]  # as urllib3 itself does
        self, method: str, url: str, redirect: bool = True, **kw: Any
    ) -> urllib3.BaseHTTPResponse:
        """Send one request; see urllib3.PoolManager.urlopen."""
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
        if method in ("PUT", "POST") and "partNumber" not in query:
            kw["headers"]["If-None-Match"] = "*"
        if isinstance(kw.get("body"), bytes) and kw["body"]:
            # In pieces: the time limit of a send is for one piece, whatever the size of the body.
            kw["body"] = io.BytesIO(kw["body"])
        if method == "DELETE":  # only ever gives up an upload, which MinIO does by itself too
            return self._send(method, url, redirect=redirect, **kw | {"retries": False})
        seam = next((name for part, name in _SEAMS.items() if part in query), None)
        with operation(seam) if seam else nullcontext():
            return self._send(method, url, redirect=redirect, **kw)

    def _send(
        self, method: str, url: str, *, redirect: bool, **kw: Any
    ) -> urllib3.BaseHTTPResponse:
        response = super().urlopen(method, url, redirect, **kw)
        if _REQUEST_ID not in response.headers:
            # Another server's 404 would read as "no such object", its 200 as "stored".
            response.close()
            raise InvalidResponseError(response.status, response.headers.get("content-type"), None)
        return response
