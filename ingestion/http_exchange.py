"""One HTTP GET: a whole, checked body, or the reason why there is none. Nothing is retried here.

Errors of the HTTP library print the URL, and the URL holds the key: none of them leaves this
module. They become a `Failure`, whose texts are free of it.
"""

import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Literal
from urllib.parse import urlencode

import requests
import urllib3
from urllib3.exceptions import ConnectTimeoutError, IncompleteRead, NewConnectionError

from utils.clock import Clock
from utils.seams import operation

_CHUNK = 1 << 16
_MAX_BODY = 64 << 20
_EXCERPT = 300


@dataclass(frozen=True)
class Answer:
    """A complete answer of any status; `body` is decompressed, header names are lower case."""

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


class HttpExchange:
    """GETs below one base URL, over one kept-alive connection a thread."""

    def __init__(self, base_url: str, *, timeout_s: float, clock: Clock) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._clock = clock
        self._local = threading.local()  # .session, and .request: what its requests start from
        self._sessions: set[requests.Session] = set()
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
        session = self._local.__dict__.pop("session", None)
        if session is not None:
            session.close()
            with self._lock:
                self._sessions.discard(session)

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for session in self._sessions:
                session.close()
            self._sessions.clear()

    def _exchange(self, path: str, params: Mapping[str, str]) -> Answer | Failure:
        deadline = self._clock.monotonic() + 3 * self._timeout_s
        session = self._session()
        request = self._local.request.copy()
        request.url = f"{request.url.rstrip('/')}/{path}?{urlencode(params)}"
        # A redirect would carry the key to wherever it points.
        with session.send(
            request,
            timeout=self._timeout_s,
            stream=True,
            allow_redirects=False,
            proxies=session.proxies,
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = self._read(response.raw, deadline)
        if isinstance(body, bytes):
            body = _decompress(body, headers.get("content-encoding", "identity"))
        if isinstance(body, Failure):
            self.drop_connection()
            return body
        return Answer(response.status_code, headers, body)

    def _read(self, raw: urllib3.HTTPResponse, deadline: float) -> bytes | Failure:
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

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = _new_session(self._base_url)
            # Prepared once: preparing each request costs more than sending it.
            self._local.request = session.prepare_request(requests.Request("GET", self._base_url))
            self._local.session = session
            with self._lock:
                self._sessions.add(session)
        return session


def _new_session(base_url: str) -> requests.Session:
    session = requests.Session()
    # Proxies and certificates of the environment are read here once instead of at each request.
    found = session.merge_environment_settings(base_url, {}, None, None, None)
    session.proxies, session.verify, session.cert = found["proxies"], found["verify"], found["cert"]
    session.trust_env = False
    session.headers = requests.structures.CaseInsensitiveDict(
        {
            "User-Agent": f"gamelake/{_version()} (+https://rawg.io/apidocs; data: RAWG)",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
    )
    return session


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
        inner = inner.__cause__ or inner.__context__
    return Failure(kind, reason)
