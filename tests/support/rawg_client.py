"""A RAWG client with a clock that tests own."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from clocks import FakeClock
from stub_http import Reply, StubServer

from ingestion.rawg_fetcher import ListingQuery, RawgClient
from utils.clock import Clock
from utils.config import Settings

KEY = "c0ffee00c0ffee00c0ffee00c0ffee00"
QUERY = ListingQuery.dates("2020-01-01", "2020-12-31")


class Heard:
    """Counts what the client tells."""

    def __init__(self) -> None:
        self.requests = 0
        self.retries: Counter[str] = Counter()

    def requested(self) -> None:
        self.requests += 1

    def retried(self, reason: str) -> None:
        self.retries[reason] += 1


def make_client(url: str, *, clock: Clock | None = None, **options: Any) -> RawgClient:
    """`options` are settings without their prefix `rawg_`, or arguments of RawgClient."""
    arguments = {
        name: options.pop(name)
        for name in ("budget", "stop", "listener", "key_has_worked")
        if name in options
    }
    settings = {"api_key": KEY, "base_url": url, "max_rps": 0, "workers": 4, "timeout_s": 600}
    values = {f"rawg_{name}": value for name, value in (settings | options).items()}
    return RawgClient(
        Settings.model_validate(values),
        clock=clock or FakeClock(),
        **{"budget": lambda _: None, "stop": threading.Event()} | arguments,
    )


@contextmanager
def served(
    answer: Reply | Callable[[dict[str, str]], Reply], **options: Any
) -> Iterator[tuple[StubServer, RawgClient]]:
    """A stub server that always gives `answer`, or what it returns for the parameters."""
    give = answer if callable(answer) else lambda _: answer
    with (
        StubServer(lambda _, params: give(params)) as server,
        make_client(server.url, **options) as client,
    ):
        yield server, client
