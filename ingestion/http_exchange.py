"""One HTTP GET: a whole, checked body, or the reason why there is none. Nothing is retried here.

Errors of the HTTP library print the URL, and the URL holds the key: none of them leaves this
module. They become a `Failure`, whose texts are free of it.
"""

import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Literal, cast
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, IncompleteRead, NewConnectionError

from utils.clock import Clock
from utils.seams import operation

_CHUNK = 1 << 16
_MAX_BODY = 64 << 20
_EXCERPT = 300


@dataclass(frozen=True)
class Answer:
    """A complete answer of any status; `body` is decompressed, header names have no case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Failure:
    """Why a request gave nothing.

    connect: no connection; exchange: it broke or hung; status: an error status; body: the source
    answered, but what it sent cannot be read.
    """

    kind: Literal["connect", "exchange", "status", "body"]
    reason: str
    excerpt: str = ""


class _Line(HTTPAdapter):
    """What one thread sends its requests through, over urllib3.

    Decided once, as a session of `requests` does for every request: how the source is reached
    (proxies, certificates of the environment) and what a request's head says. At each request it
    costs more than the request.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__()
        session = requests.Session()
        found = session.merge_environment_settings(base_url, {}, None, None, None)
        proxies, verify, cert = found["proxies"], found["verify"], found["cert"]
        session.trust_env = False  # no password of a .netrc
        session.headers = requests.structures.CaseInsensitiveDict(
            {
                "User-Agent": f"gamelake/{_version()} (+https://rawg.io/apidocs; data: RAWG)",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
            }
        )
        request = session.prepare_request(requests.Request("GET", base_url))
        self.headers = dict(request.headers)
        self.target = self.request_url(request, proxies).rstrip("/")
        pool = self.get_connection_with_tls_context(request, verify, proxies, cert)
        self.cert_verify(pool, base_url, verify, cert)  # type: ignore[no-untyped-call]
        self.pool = cast(urllib3.HTTPConnectionPool, pool)


class HttpExchange:
    """GETs below one base URL, over one kept-alive connection a thread."""

    def __init__(self, base_url: str, *, timeout_s: float, clock: Clock) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._timeout = urllib3.Timeout(connect=timeout_s, read=timeout_s)
        self._clock = clock
        self._local = threading.local()  # .line
        self._lines: set[_Line] = set()
        self._lock = threading.Lock()

    def get(self, path: str, params: Mapping[str, str]) -> Answer | Failure:
        """Send one request; a slow drip is cut off after three times the timeout."""
        try:
            with operation("http.get"):
                return self._exchange(path, params)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self.drop_connection()
            return _broken(error)

    def drop_connection(self) -> None:
        """Forget this thread's connection: after a broken answer its rest may still be in it."""
        line = self._local.__dict__.pop("line", None)
        if line is not None:
            line.close()
            with self._lock:
                self._lines.discard(line)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for line in self._lines:
                line.close()
            self._lines.clear()

    def _exchange(self, path: str, params: Mapping[str, str]) -> Answer | Failure:
        deadline = self._clock.monotonic() + 3 * self._timeout_s
        line = self._line()
        with line.pool.urlopen(
            "GET",
            f"{line.target}/{path}?{urlencode(params)}",
            headers=line.headers,
            timeout=self._timeout,
            retries=False,
            redirect=False,  # it would carry the key to wherever it points
            assert_same_host=False,  # a proxy is asked for another host
            preload_content=False,
            decode_content=False,
        ) as raw:
            body = self._read(raw, deadline)
        if isinstance(body, bytes):
            body = _decompress(body, raw.headers.get("content-encoding", "identity"))
        if isinstance(body, Failure):
            self.drop_connection()
            return body
        return Answer(raw.status, raw.headers, body)

    def _read(self, raw: urllib3.BaseHTTPResponse, deadline: float) -> bytes | Failure:
        """Read to the end that Content-Length names; urllib3 raises where it is not reached."""
        chunks, size = [], 0
        while chunk := raw.read1(_CHUNK, decode_content=False):
            chunks.append(chunk)
            size += len(chunk)
            if self._clock.monotonic() > deadline:
                return Failure("exchange", f"the answer took over {3 * self._timeout_s:g} s")
            if size > _MAX_BODY:
                return Failure("body", f"the answer is over {_MAX_BODY >> 20} MiB")
        return b"".join(chunks)

    def _line(self) -> _Line:
        line: _Line | None = getattr(self._local, "line", None)
        if line is None:
            line = self._local.line = _Line(self._base_url)
            with self._lock:
                self._lines.add(line)
        return line


def _version() -> str:
    try:
        return metadata.version("gamelake")
    except metadata.PackageNotFoundError:
        return "source"


def _decompress(body: bytes, encoding: str) -> bytes | Failure:
    """Undo gzip strictly: urllib3 itself would take a stream that is cut off for a whole one."""
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() != "gzip":
        return Failure("body", "the answer has a content encoding that was not asked for")
    inflate = zlib.decompressobj(wbits=31)
    try:
        whole = inflate.decompress(body, _MAX_BODY)
    except zlib.error:
        return Failure("body", "the answer is no valid gzip")
    if not inflate.eof:
        return Failure("body", "the compressed answer is cut short or too large")
    return whole


def _broken(error: BaseException) -> Failure:
    """Describe a library error by what is known of its causes; the innermost speaks last."""
    kind: Literal["connect", "exchange"] = "exchange"
    reason = "the connection broke"
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, (NewConnectionError, ConnectTimeoutError)):
            kind = "connect"
        if isinstance(inner, (urllib3.exceptions.TimeoutError, TimeoutError)):
            reason = "no answer in time"
        elif isinstance(inner, IncompleteRead):
            reason = "the answer is shorter than its Content-Length"
        elif isinstance(inner, OSError) and inner.strerror:
            reason = inner.strerror
        elif type(inner) is OSError:  # a missing certificate bundle, a proxy that refuses
            reason = str(inner)
        inner = inner.__cause__ or inner.__context__
    return Failure(kind, reason)
