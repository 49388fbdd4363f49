"""Broken answers are asked for again; a page that stays broken is told from a source that is down.

Contract: reliability.md test 9 (network) and rawg.md 1.7 (what was recorded).
"""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from clocks import FakeClock
from rawg_client import QUERY, Heard, make_client, served
from stub_http import Reply, chunked, gzipped, page

from ingestion.rawg_fetcher import PageUnreadable
from utils import seams
from utils.clock import SystemClock
from utils.errors import SourceError, Stopped

ROWS = [{"id": number} for number in range(1, 41)]
GOOD = page(ROWS)
BROKEN = {
    "status 502": Reply(b"<html>bad gateway</html>", status=502),
    "status 522": Reply(b"", status=522),
    "status 429": Reply(b"", status=429),
    "redirect": Reply(b"", status=301, headers={"Location": "http://127.0.0.1:1/else"}),
    "reset": Reply(reset=True),
    "closed without an answer": Reply(GOOD, cut=0, claimed=len(GOOD)),
    "cut body": Reply(GOOD, cut=100),
    "Content-Length too long": Reply(GOOD, claimed=len(GOOD) + 5, cut=len(GOOD)),
    "Content-Length too short": Reply(GOOD, claimed=len(GOOD) // 2),
    "cut gzip": gzipped(GOOD, keep=0.5),
    "gzip without its check sum": gzipped(GOOD, keep=0.97),
    "no gzip at all": Reply(GOOD, headers={"Content-Encoding": "gzip"}),
    "unknown encoding": Reply(GOOD, headers={"Content-Encoding": "br"}),
    "cut chunks": chunked(Reply(GOOD), cut=350),
    "cut gzip in chunks": chunked(gzipped(GOOD, keep=0.5)),
    "html": Reply(b"<html>Just a moment</html>", headers={"Content-Type": "text/html"}),
    "empty": Reply(b""),
    "no results": Reply(b'{"count": 3}'),
    "results null": Reply(b'{"count": 3, "results": null}'),
    "results an object": Reply(b'{"count": 3, "results": {}}'),
    "count a text": Reply(page(ROWS, count="3")),  # type: ignore[arg-type]
    "count negative": Reply(page(ROWS, count=-1)),
    "not an object": Reply(b"[]"),
    "an envelope without a bottom": Reply(
        b'{"count":1,"results":[],"next":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    ),
    "a 404 of somebody else": Reply(b"<html>404</html>", status=404),
    "a detail that hides a first page": Reply(b'{"detail": "Throttled."}', status=503),
}


def in_turn(replies: list[Reply]) -> Callable[[dict[str, str]], Reply]:
    """Give one reply after the other; the last for ever."""
    left: Iterator[Reply] = iter(replies[:-1])
    lock = threading.Lock()

    def answer(_: dict[str, str]) -> Reply:
        with lock:
            return next(left, replies[-1])

    return answer


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_is_asked_for_again(broken):
    heard = Heard()
    with served(in_turn([Reply(GOOD), broken, Reply(GOOD)]), listener=heard) as (server, client):
        client.page(QUERY, 2)
        found = client.page(QUERY, 3)

    assert [head.natural_id for head in found.rows] == list(range(1, 41))
    assert len(server.requests) == 3
    assert heard.retries.total() == 1


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_page_that_stays_broken_is_unreadable_and_the_next_is_not(broken):
    def answer(params: dict[str, str]) -> Reply:
        return broken if params["page"] == "3" else Reply(GOOD)

    with served(answer) as (server, client):
        client.page(QUERY, 2)
        with pytest.raises(PageUnreadable) as caught:
            client.page(QUERY, 3)
        assert len(client.page(QUERY, 4).rows) == 40

    tries = [params["page"] for _, params in server.requests].count("3")
    assert (caught.value.query, caught.value.number) == (QUERY, 3)
    assert tries == 10  # two rounds of RAWG_ATTEMPTS, each with a look whether others are answered
    assert len(server.requests) == 1 + tries + 2 + 1


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("length", range(1, 24))
def test_a_run_of_failures_ends_complete(length, workers):
    """18 in a row were recorded; a page has 5 attempts."""
    broken = Reply(b"", status=502)
    replies = [Reply(GOOD)] + [broken] * length + [Reply(GOOD)]
    with served(in_turn(replies), workers=workers) as (server, client):
        client.page(QUERY, 1)
        with ThreadPoolExecutor(workers) as pool:
            pages = list(pool.map(lambda number: client.page(QUERY, number), range(2, 10)))

    assert [one.number for one in pages] == list(range(2, 10))
    assert len(server.requests) - 9 <= 1.2 * length


def test_waits_outlast_the_longest_recorded_run():
    """The recorded run of 18 took 22 s; waits are random, so many runs are looked at."""
    waits = []
    for _ in range(20):
        clock = FakeClock()
        replies = [Reply(GOOD)] + [Reply(b"", status=502)] * 18 + [Reply(GOOD)]
        with served(in_turn(replies), clock=clock) as (_server, client):
            client.page(QUERY, 1)
            client.page(QUERY, 2)
        waits.append(sum(clock.slept))

    assert sorted(waits)[1] > 22
    assert max(waits) < 18 * 8


def test_a_source_that_went_down_ends_the_fetch():
    replies = [Reply(GOOD), Reply(b"", status=522)]
    with served(in_turn(replies)) as (server, client):
        client.page(QUERY, 1)
        with pytest.raises(SourceError) as caught:
            client.page(QUERY, 2)

    assert type(caught.value) is SourceError
    assert "HTTP 522" in caught.value.message
    assert len(server.requests) < 40


def test_a_host_that_is_not_there_is_told_soon():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    heard = Heard()
    with (
        make_client(f"http://127.0.0.1:{port}/api", listener=heard) as client,
        pytest.raises(SourceError) as caught,
    ):
        client.page(QUERY, 1)

    assert "Connection refused" in caught.value.message
    assert heard.requests == 5


def test_pages_of_another_site_are_told_soon():
    with served(Reply(b"<html>hello</html>")) as (server, client), pytest.raises(SourceError):
        client.page(QUERY, 1)

    assert len(server.requests) == 5


def test_a_hanging_answer_times_out_and_is_asked_for_again():
    over = threading.Event()
    hang = Reply(GOOD, before=lambda: over.wait(10))
    with served(in_turn([hang, Reply(GOOD)]), timeout_s=0.2) as (server, client):
        found = client.page(QUERY, 1)
        over.set()

    assert len(found.rows) == 40
    assert len(server.requests) == 2


def test_a_slow_drip_is_cut_off_in_the_end():
    heard = Heard()
    replies = [Reply(GOOD, drip=0.05), Reply(GOOD)]
    with served(in_turn(replies), timeout_s=0.2, clock=SystemClock(), listener=heard) as (
        _server,
        client,
    ):
        found = client.page(QUERY, 1)

    assert len(found.rows) == 40
    assert heard.retries == {"the answer took over 0.6 s": 1}


@pytest.mark.parametrize(
    ("value", "least"),
    [("7", 7), ("Sat, 21 Nov 2026 01:52:30 GMT", 30), ("99999", 600), ("soon", 0), ("-5", 0)],
)
def test_retry_after_pauses_all_workers(value, least):
    clock = FakeClock()
    busy = Reply(b"", status=429, headers={"Retry-After": value})
    with served(in_turn([busy, Reply(GOOD)]), clock=clock) as (_server, client):
        client.page(QUERY, 1)

    assert least <= clock.monotonic() < least + 10


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_operation_that_fails_once_is_repeated(when):
    with served(Reply(GOOD)) as (_server, client):
        client.page(QUERY, 1)
        seams.arm(fault := seams.Fault("error", when, "http.get", 1))
        try:
            found = client.page(QUERY, 2)
        finally:
            seams.arm(None)

    assert fault.fired == 1
    assert len(found.rows) == 40


def test_stop_ends_a_wait():
    stop = threading.Event()
    replies = Reply(b"", status=503, headers={"Retry-After": "600"}, before=stop.set)
    with served(replies, stop=stop) as (server, client), pytest.raises(Stopped):
        client.page(QUERY, 1)

    assert len(server.requests) == 1


@pytest.mark.parametrize("rate", [0.006, 0.05])
def test_storms_cost_no_page(rate):
    """Runs as recorded; any fault; no page is lost and little is asked in vain."""
    dice = random.Random(rate)
    runs = [1] * 26 + [2] * 13 + [3] * 8 + [4] * 3 + [6, 6, 7, 9, 18]
    failures: list[Reply] = []
    lock = threading.Lock()
    fired = 0

    def answer(params: dict[str, str]) -> Reply:
        nonlocal fired
        with lock:
            if not failures and dice.random() < rate / 2:
                failures.extend(dice.choices(list(BROKEN.values()), k=dice.choice(runs)))
            if failures:
                fired += 1
                return failures.pop()
            return Reply(page([{"id": int(params["page"])}]))

    with served(answer) as (server, client), ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda number: client.page(QUERY, number), range(1, 1_001)))

    assert [one.rows[0].natural_id for one in pages] == list(range(1, 1_001))
    assert fired > 1
    assert len(server.requests) - 1_000 <= 1.2 * fired
