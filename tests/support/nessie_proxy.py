"""Stands between a client and Nessie: sees each request, may hold it, refuse it or lose its answer.

The client's `Host` header is passed on, so that Nessie names the proxy as its own address and
pyiceberg keeps to it.
"""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Literal, Self

import urllib3

Fate = Literal["pass", "refuse", "lose", "cut", "500", "503"]
_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}


class NessieProxy:
    """Forwards to `target`; `judge(ordinal, method, path)` decides the fate of each request.

    refuse: the connection breaks before Nessie hears of it. lose: Nessie does what it is asked,
    then the connection breaks. cut: it breaks in the middle of the answer. 500 and 503: Nessie does
    what it is asked, and the answer is an error.
    """

    def __init__(self, target: str) -> None:
        self.judge: Callable[[int, str, str], Fate] = lambda *_: "pass"
        self.seen: list[tuple[str, str]] = []
        self._target = target
        self._lock = Lock()
        self._pool = urllib3.PoolManager(retries=False, maxsize=8)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def watch(self, judge: Callable[[int, str, str], Fate] | None = None) -> None:
        """Count from zero, and let `judge` (None: nobody) decide."""
        self.seen.clear()
        self.judge = judge or (lambda *_: "pass")

    def fate_of(self, method: str, path: str) -> Fate:
        with self._lock:
            self.seen.append((method, path))
            ordinal = len(self.seen)
        return self.judge(ordinal, method, path)

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        url = self._target + path
        return self._pool.request(method, url, headers=headers, body=body, decode_content=False)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._pool.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _handler(proxy: NessieProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fate = proxy.fate_of(self.command, self.path)
            if fate == "refuse":
                self.close_connection = True
                return
            answer = proxy.forward(self.command, self.path, dict(self.headers), body)
            if fate == "lose":
                self.close_connection = True
                return
            self.send_response(int(fate) if fate.isdigit() else answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            if fate == "cut":
                self.close_connection = True
            half = len(answer.data) // 2
            self.wfile.write(answer.data[:half] if fate == "cut" else answer.data)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815

    return Handler
