"""A TCP proxy in front of a real server that loses chosen answers and cuts chosen connections."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass
class Cut:
    """Close the connection of a request that contains `request`.

    `after` counts bytes of the answer: 0 loses it whole, though the server has done the work.
    `before` closes at the request already, so the server never sees it. The first `skip` pass;
    `times` bounds it; `then` is called at each.
    """

    request: bytes
    after: int = 0
    before: bool = False
    times: int = 1
    then: Callable[[], object] = lambda: None
    done: int = 0
    skip: int = 0


class CuttingProxy:
    """Listens on a free port of 127.0.0.1 and forwards to `target`, a `host:port`.

    `pause` slows requests down: seconds for each 64 KiB. `sent` counts their bytes.
    """

    def __init__(self, target: str, cut: Cut | None = None, *, pause: float = 0.0) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self.cut, self.sent = cut, 0
        self._pause = pause
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> "CuttingProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(10)
        for one in self._open:
            with suppress(OSError):  # closed already
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            pair = _Pair(client, server, self)
            self._open += [pair.client, pair.server]
            for run in (pair.forward, pair.back):
                self._threads.append(threading.Thread(target=run))
                self._threads[-1].start()

    def wanted(self, data: bytes) -> Cut | None:
        """Return the cut that this request asks for, and count it as done."""
        time.sleep(self._pause)
        with self._lock:
            self.sent += len(data)
            cut = self.cut
            if cut is None or cut.request not in data or cut.done == cut.times:
                return None
            if cut.skip:
                cut.skip -= 1
                return None
            cut.done += 1
            cut.then()
            return cut


class _Pair:
    """One connection of the client and its continuation to the server."""

    def __init__(self, client: socket.socket, server: socket.socket, proxy: CuttingProxy) -> None:
        self.client, self.server, self._proxy = client, server, proxy
        self._cut: Cut | None = None

    def forward(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(1 << 16):
                self._cut = self._proxy.wanted(data) or self._cut
                if self._cut and self._cut.before:
                    break
                self.server.sendall(data)
        self._end()
        if self._cut and self._cut.before:
            self.client.close()  # with bytes unread: the client is told by a reset

    def back(self) -> None:
        sent = 0
        with suppress(OSError):
            while data := self.server.recv(1 << 16):
                limit = self._cut.after - sent if self._cut else len(data)
                self.client.sendall(data[: max(limit, 0)])
                sent += len(data)
                if limit < len(data):
                    break
        self._end()

    def _end(self) -> None:
        for one in (self.client, self.server):
            with suppress(OSError):  # the other thread was faster
                one.shutdown(socket.SHUT_RDWR)
