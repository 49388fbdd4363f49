"""A strict HTTP server in a thread: every byte that it sends is chosen by the test."""

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Reply:
    """What to send. `claimed` lies about Content-Length; `cut` closes after that many bytes."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    claimed: int | None = None
    cut: int | None = None
    reset: bool = False
    drip: float = 0.0  # seconds before each byte of the body
    before: Callable[[], None] = lambda: None


def page(rows: list[Any], count: int | None = None, **envelope: Any) -> bytes:
    """A listing page of these rows, filtered shape unless told otherwise."""
    body = {"count": len(rows) if count is None else count, "next": None, "results": rows}
    return json.dumps({"user_platforms": False} | body | envelope).encode()


def gzipped(body: bytes, keep: float = 1.0) -> Reply:
    """The body compressed, of which only the share `keep` is sent, with an honest length."""
    packed = gzip.compress(body)
    return Reply(packed[: int(len(packed) * keep)], headers={"Content-Encoding": "gzip"})


def chunked(reply: Reply, cut: int | None = None) -> Reply:
    """The same in chunks of 100 bytes, without Content-Length, as content networks send it."""
    parts = [reply.body[at : at + 100] for at in range(0, len(reply.body), 100)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])
    return Reply(body, headers=reply.headers | {"Transfer-Encoding": "chunked"}, cut=cut)


class StubServer:
    """Serves `answer(path, params)`; remembers every request and counts connections."""

    def __init__(
        self,
        answer: Callable[[str, dict[str, str]], Reply],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._answer = answer
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def url(self) -> str:
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/api"

    def __enter__(self) -> "StubServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(10)
        for connection in self._open:
            with suppress(OSError):  # the other side was faster
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._tls is not None:  # hands are shaken at the first read
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            self.connections += 1
            self._open.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while request := stream.readline():
                    if not self._exchange(connection, request, stream):
                        return
            except OSError:
                return

    def _exchange(self, connection: socket.socket, request: bytes, stream: Any) -> bool:
        method, target, version = request.decode("ascii").split()
        assert (method, version) == ("GET", "HTTP/1.1")
        headers = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("ascii").partition(": ")
            headers[name.lower()] = value
        parts = urlsplit(target)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requests.append((parts.path, params))
        self.headers.append(headers)
        reply = self._answer(parts.path, params)
        reply.before()
        if reply.reset:
            # SO_LINGER with zero seconds makes close() send RST.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        _send(connection, reply)
        return reply.cut is None


def _head(reply: Reply) -> bytes:
    length = len(reply.body) if reply.claimed is None else reply.claimed
    headers = {"Content-Type": "application/json", "Content-Length": str(length)} | reply.headers
    if "Transfer-Encoding" in headers:
        del headers["Content-Length"]
    lines = [f"HTTP/1.1 {reply.status} Whatever", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _send(connection: socket.socket, reply: Reply) -> None:
    body = reply.body[: reply.cut]
    if not reply.drip:
        connection.sendall(_head(reply) + body)
        return
    connection.sendall(_head(reply))
    pause = threading.Event()
    for byte in body:
        pause.wait(reply.drip)
        connection.sendall(bytes([byte]))
