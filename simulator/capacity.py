"""How many pages a simulator serves: the ceiling that a benchmark of a client must stay under.

`python -m simulator.capacity --games N` starts a server and several client processes that read
pages over keep-alive sockets and parse nothing.
"""

import argparse
import json
import multiprocessing
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlsplit

from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess

_PAGE = 40
_KEY = "capacity"


@dataclass(frozen=True)
class Capacity:
    """`cpu_us` is the server's own processor time per page; `resident_mb` its peak memory."""

    shape: str
    clients: int
    pages: int
    seconds: float
    megabytes: float
    cpu_us: float
    resident_mb: float

    @property
    def pages_per_s(self) -> float:
        """Return pages per second over all clients."""
        return self.pages / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.shape:8} {self.clients} clients: {self.pages_per_s:7,.0f} pages/s of {_PAGE}"
            f" rows ({self.megabytes / self.seconds:,.0f} MB/s), server"
            f" {self.cpu_us:.0f} us CPU a page, {self.resident_mb:,.0f} MB peak"
        )


def measure(simulator: SimulatorProcess, shape: str, *, clients: int, seconds: float) -> Capacity:
    """Let `clients` processes read pages of `shape` for `seconds` seconds."""
    targets = _targets(simulator, shape)
    netloc = urlsplit(simulator.base_url).netloc
    before = simulator.control.state()
    jobs = [(netloc, targets[n::clients], seconds) for n in range(clients)]
    with multiprocessing.get_context("spawn").Pool(clients) as pool:
        found = pool.starmap(_read_pages, jobs)
    after = simulator.control.state()
    pages = sum(pages for pages, _, _ in found)
    return Capacity(
        shape=shape,
        clients=clients,
        pages=pages,
        seconds=max(elapsed for _, _, elapsed in found),
        megabytes=sum(size for _, size, _ in found) / 1e6,
        cpu_us=(after["cpu_s"] - before["cpu_s"]) / pages * 1e6,
        resident_mb=after["resident_mb"],
    )


def warm(simulator: SimulatorProcess) -> None:
    """Read every page once: large catalogues are files, and the disk is not to be measured."""
    with _Client(urlsplit(simulator.base_url).netloc) as client:
        for shape in ("browse", "filtered"):
            for target in _targets(simulator, shape):
                client.get(target)


def _targets(simulator: SimulatorProcess, shape: str) -> list[str]:
    """Return one address per page: of the whole catalogue, or of each year up to the limit."""
    netloc = urlsplit(simulator.base_url).netloc
    with _Client(netloc) as client:
        first = json.loads(client.get(f"/api/games?key={_KEY}&page_size={_PAGE}"))
    if shape == "browse":
        pages = range(1, -(-first["count"] // _PAGE) + 1)
        return [f"/api/games?key={_KEY}&page={page}&page_size={_PAGE}" for page in pages]
    limit = simulator.control.state()["knobs"]["depth_limit"]
    years = [year for decade in first["filters"]["years"] for year in decade["years"]]
    return [
        f"/api/games?dates={y['year']}-01-01%2C{y['year']}-12-31&key={_KEY}&page={p}&page_size={_PAGE}"
        for y in years
        for p in range(1, max(min(y["count"], limit) // _PAGE, 1) + 1)
    ]


def _read_pages(netloc: str, targets: Sequence[str], seconds: float) -> tuple[int, int, float]:
    pages = size = 0
    with _Client(netloc) as client:
        start = time.perf_counter()
        end = start + seconds
        for target in cycle(targets):
            size += len(client.get(target))
            pages += 1
            if time.perf_counter() > end:
                break
        return pages, size, time.perf_counter() - start


class _Client:
    """The cheapest client: one socket, no parsing of more than Content-Length."""

    def __init__(self, netloc: str) -> None:
        host, _, port = netloc.partition(":")
        self._host = netloc
        self._socket = socket.create_connection((host, int(port)))
        self._buffer = bytearray(4 * 2**20)  # the largest page: 40 rows of 25 KB and more

    def get(self, target: str) -> bytes:
        request = f"GET {target} HTTP/1.1\r\nHost: {self._host}\r\n\r\n"
        self._socket.sendall(request.encode())
        view, filled, whole = memoryview(self._buffer), 0, 0
        while not whole or filled < whole:
            filled += self._socket.recv_into(view[filled:])
            if not whole and (end := self._buffer.find(b"\r\n\r\n", 0, filled)) >= 0:
                length = self._buffer[:end].lower().rpartition(b"content-length:")[2]
                whole = end + 4 + int(length.split(b"\r\n")[0])
        return bytes(view[whole - int(length.split(b"\r\n")[0]) : whole])

    def __enter__(self) -> "_Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def main(argv: Sequence[str]) -> int:
    """Print the capacity for both shapes."""
    parser = argparse.ArgumentParser("simulator.capacity", description=__doc__)
    parser.add_argument("--games", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args(argv)
    with SimulatorProcess.start(SimulatorConfig(games=options.games)) as simulator:
        for shape in ("browse", "filtered"):
            found = measure(simulator, shape, clients=options.clients, seconds=options.seconds)
            sys.stdout.write(f"{found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
