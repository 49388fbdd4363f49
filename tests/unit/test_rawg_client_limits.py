"""One limiter for all workers: rate, pauses, requests in flight."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from clocks import FakeClock
from rawg_client import QUERY, served
from stub_http import Reply, page

from ingestion.limiter import RequestLimiter
from ingestion.retry import Backoff, Health
from utils.errors import Stopped

GOOD = Reply(page([{"id": 1}]))


def make_limiter(clock, *, max_rps=0.0, in_flight=1):
    return RequestLimiter(max_rps=max_rps, in_flight=in_flight, clock=clock, stop=threading.Event())


def started(limiter: RequestLimiter, clock: FakeClock, times: int) -> list[float]:
    starts = []
    for _ in range(times):
        with limiter.request():
            starts.append(clock.monotonic())
    return starts


def test_requests_start_no_faster_than_allowed():
    clock = FakeClock()

    assert started(make_limiter(clock, max_rps=4), clock, 5) == [0, 0.25, 0.5, 0.75, 1.0]


def test_an_idle_time_is_not_saved_up_for_a_burst():
    clock = FakeClock()
    limiter = make_limiter(clock, max_rps=4)
    clock.advance(100)

    assert started(limiter, clock, 3) == [100, 100.25, 100.5]


def test_zero_is_unlimited():
    clock = FakeClock()

    assert started(make_limiter(clock), clock, 3) == [0, 0, 0]


def test_a_shorter_pause_does_not_end_a_longer_one():
    clock = FakeClock()
    limiter = make_limiter(clock)
    limiter.pause(10)
    limiter.pause(3)

    assert started(limiter, clock, 2) == [pytest.approx(10), pytest.approx(10)]


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_requests_are_in_flight_than_workers(workers):
    lock, now, most = threading.Lock(), 0, 0
    full = threading.Barrier(workers, timeout=10)

    def enter() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        full.wait()
        with lock:
            now -= 1

    with (
        served(Reply(GOOD.body, before=enter), workers=workers) as (_server, client),
        ThreadPoolExecutor(3 * workers) as pool,
    ):
        list(pool.map(lambda number: client.page(QUERY, number), range(1, 6 * workers + 1)))

    assert most == workers


def test_a_stopped_run_starts_no_request():
    stop = threading.Event()
    stop.set()
    with served(GOOD, stop=stop) as (server, client), pytest.raises(Stopped):
        client.page(QUERY, 1)

    assert server.requests == []


@pytest.mark.parametrize(("failures", "most"), [(1, 0.25), (2, 0.5), (3, 1), (6, 8), (500, 8)])
def test_waits_double_up_to_a_cap_and_spread_over_the_whole_range(failures, most):
    waits = [Backoff().wait_s(failures) for _ in range(2_000)]

    assert 0 <= min(waits) < 0.05 * most
    assert 0.95 * most < max(waits) <= most


def test_a_success_ends_a_run_of_failures():
    health = Health()

    assert [health.failed(), health.failed()] == [1, 2]
    health.succeeded()
    assert health.failed() == 1
    assert health.successes == 1
