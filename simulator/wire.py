"""HTTP/1.1 on an asyncio protocol: keep-alive, one request at a time, and every broken wire."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Callable
from typing import cast

from simulator.app import HTML_PAGE, Reply, Simulator

Control = Callable[[str, bytes], tuple[int, bytes]]
CONTROL_PATH = "/__control__/"
_REASON = {200: b"OK", 400: b"Bad Request", 401: b"Unauthorized", 404: b"Not Found"}
_JSON = "Content-Type: application/json\r\n"
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN


class Connection(asyncio.Protocol):
    """One client. A request that is delayed holds back those behind it on the same connection."""

    def __init__(
        self, simulator: Simulator, control: Control, open_ones: set["Connection"]
    ) -> None:
        self._simulator = simulator
        self._control = control
        self._open_ones = open_ones
        self._received = b""
        self._busy = False
        self._closing = False
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection, so that a stopping server can close it."""
        self._transport = cast("asyncio.Transport", transport)
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the connection."""
        self._open_ones.discard(self)

    def close(self) -> None:
        """Drop the connection without waiting for what is unsent."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Collect bytes and answer each whole request."""
        self._received += data
        self._serve()

    def _serve(self) -> None:
        while not self._busy and not self._transport.is_closing():
            head, found, rest = self._received.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            length = int(headers.get("content-length", "0"))
            if not found or len(rest) < length:
                return
            self._received = rest[length:]
            self._closing = headers.get("connection") == "close"
            self._answer(lines[0].split(" ")[1], headers.get("host", ""), rest[:length])

    def _answer(self, target: str, host: str, body: bytes) -> None:
        if target.startswith(CONTROL_PATH):
            status, answer = self._control(target.removeprefix(CONTROL_PATH), body)
            self._send(Reply(status, answer, "control"))
            return
        reply = self._simulator.reply(target, f"http://{host}", self._loop.time())
        if reply.delay:
            self._busy = True
            self._loop.call_later(reply.delay, self._resume, reply)
        else:
            self._send(reply)

    def _resume(self, reply: Reply) -> None:
        self._busy = False
        if not self._transport.is_closing():
            self._send(reply)
            self._serve()

    def _send(self, reply: Reply) -> None:
        if reply.fault:
            self._break(reply)
        else:
            wait = "Retry-After: 1\r\n" if reply.status in (429, 503) else ""
            headers = f"Content-Type: {reply.content_type}\r\n{wait}"
            self._write(reply.status, reply.body, headers)
        if self._closing and not self._busy:
            self._transport.close()

    def _write(self, status: int, body: bytes, headers: str, length: int | None = None) -> None:
        size = len(body) if length is None else length
        head = (
            f"HTTP/1.1 {status} {_REASON.get(status, 'Error')}\r\n{headers}Content-Length: {size}"
        )
        self._transport.write(b"".join((head.encode(), b"\r\n\r\n", body)))

    def _break(self, reply: Reply) -> None:
        {
            "reset": self._reset,
            "reset_mid": lambda: self._reset_mid(reply.body),
            "truncated": lambda: self._cut(reply.body),
            "bad_length": lambda: self._short_length(reply.body),
            "cut_gzip": lambda: self._cut_gzip(reply.body),
            "html": lambda: self._write(200, HTML_PAGE, "Content-Type: text/html\r\n"),
            "empty_body": lambda: self._write(200, b"", _JSON),
            "hang": self._hang,
        }[reply.fault]()

    def _reset(self) -> None:
        if not self._transport.is_closing():
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            self._transport.abort()

    def _reset_mid(self, body: bytes) -> None:
        self._write(200, body[: len(body) // 2], _JSON, len(body))
        self._busy = True
        self._loop.call_later(0.05, self._reset)  # by then the client has read what it was sent

    def _cut(self, body: bytes) -> None:
        self._write(200, body[: len(body) // 2], _JSON, len(body))
        self._transport.close()

    def _short_length(self, body: bytes) -> None:
        self._write(200, body, _JSON, len(body) // 2)
        self._transport.close()

    def _cut_gzip(self, body: bytes) -> None:
        packed = gzip.compress(body, 1)
        self._write(200, packed[: len(packed) // 2], _JSON + "Content-Encoding: gzip\r\n")

    def _hang(self) -> None:
        self._busy = True
        self._loop.call_later(self._simulator.knobs.hang_s, self._transport.abort)
