"""A simulated RAWG for tests: in this process (fast, no socket) or in one of its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

from simulator.app import Reply, Simulator
from simulator.config import SimulatorConfig
from simulator.control import Controls
from simulator.server import SimulatorProcess

KEY = "a-key"
BASE = "http://simulated.invalid"
Json = dict[str, Any]


def running(**config: Any) -> SimulatorProcess:
    """Start a simulator in its own process: `with running(games=500) as simulator: ...`."""
    return SimulatorProcess.start(SimulatorConfig(**config))


@dataclass
class Local:
    """A simulator in this process, asked without a wire; `now` is its clock for outages."""

    simulator: Simulator
    controls: Controls = field(init=False)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.controls = Controls(self.simulator)

    def reply(self, path: str = "games", **params: Any) -> Reply:
        """Answer one GET, with a key unless `key` is given."""
        query = urlencode({"key": KEY, **params})
        return self.simulator.reply(f"/api/{path}?{query}", BASE, self.now)

    def get(self, path: str = "games", **params: Any) -> Json:
        """Return the parsed body of a GET that must succeed."""
        reply = self.reply(path, **params)
        assert reply.status == 200, reply
        body: Json = json.loads(reply.body)
        return body

    def crawl(self, **params: Any) -> list[Json]:
        """Return the rows of every page that `next` leads to."""
        params = {"page_size": 40, **params}
        rows, page, body = [], 1, {"next": "first"}
        while body["next"]:
            body = self.get(page=page, **params)
            rows += body["results"]
            page += 1
        return rows

    def tell(self, verb: str, **arguments: Any) -> Json:
        """Carry out a control verb that must succeed."""
        status, body = self.controls.handle(verb, json.dumps(arguments).encode())
        assert status == 200, body
        answer: Json = json.loads(body)
        return answer


def local(**config: Any) -> Local:
    """Build a simulator in this process."""
    return Local(Simulator(SimulatorConfig(**config)))


def fetch(simulator: SimulatorProcess, path: str = "games", **params: Any) -> requests.Response:
    """Send one GET with a key and a timeout; whatever the status."""
    params = {"key": KEY, **params}
    return requests.get(f"{simulator.base_url}/{path}", params=params, timeout=10)


def pages(simulator: SimulatorProcess, **params: Any) -> Iterator[Json]:
    """Yield the listing's pages by following `next`."""
    address: str | None = f"{simulator.base_url}/games?{urlencode({'key': KEY, **params})}"
    with requests.Session() as session:
        while address:
            body = session.get(address, timeout=10).json()
            yield body
            address = body["next"]
