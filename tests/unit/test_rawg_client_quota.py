"""A 401 is the quota or the key. Contract: DESIGN 5 Politeness, reliability.md test 7."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from rawg_client import KEY, QUERY, served
from stub_http import Reply, page

from utils.errors import QuotaSpent, SourceError

SPENT = Reply(b'{"error": "The monthly API limit reached"}', status=401)
NO_SUCH_KEY = Reply(b'{"error": "The API key is not found"}', status=401)


def row_of(params: dict[str, str]) -> Reply:
    return Reply(page([{"id": int(params["page"])}]))


def test_a_wrong_key_is_told_at_once_and_nobody_asks_again():
    with served(NO_SUCH_KEY) as (server, client):
        for _ in range(3):
            with pytest.raises(SourceError, match="The API key is not found") as caught:
                client.page(QUERY, 1)

    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.message
    assert len(server.requests) == 1


def test_a_limit_is_the_quota_even_for_a_new_key():
    with served(SPENT) as (server, client), pytest.raises(QuotaSpent):
        client.page(QUERY, 1)

    assert len(server.requests) == 1 + 3


@pytest.mark.parametrize("known_from", ["an earlier run", "this run"])
def test_a_key_that_has_worked_is_not_wrong(known_from):
    replies = iter([Reply(page([{"id": 1}]))] if known_from == "this run" else [])
    with served(
        lambda _: next(replies, NO_SUCH_KEY), key_has_worked=known_from == "an earlier run"
    ) as (_server, client):
        if known_from == "this run":
            client.page(QUERY, 1)
        with pytest.raises(QuotaSpent):
            client.page(QUERY, 2)


def test_a_used_key_is_known_to_work():
    with served(row_of) as (_server, client):
        assert not client.key_has_worked
        client.page(QUERY, 1)
        assert client.key_has_worked


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_once_the_quota_is_spent_nobody_asks_again(workers):
    """Three more requests after the first refusal, besides those that were in flight."""
    lock, served_pages = threading.Lock(), []

    def answer(params: dict[str, str]) -> Reply:
        with lock:
            if len(served_pages) == 20:
                return SPENT
            served_pages.append(params["page"])
            return row_of(params)

    def fetch(number: int) -> int | None:
        try:
            return client.page(QUERY, number).rows[0].natural_id
        except QuotaSpent:
            return None

    with served(answer, workers=workers) as (server, client), ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(fetch, range(1, 200)))
        after = len(server.requests)
        assert fetch(500) is None

    assert sorted(n for n in found if n) == sorted(int(number) for number in served_pages)
    assert after <= 20 + workers + 3
    assert len(server.requests) == after


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("seed", range(20))
def test_a_flickering_quota_loses_no_page(seed, workers):
    """As recorded: after the first 401, 122 refusals and 32 answers in mixed order."""
    edge = [False] * 122 + [True] * 32
    random.Random(seed).shuffle(edge)
    answers = iter([True] * 10 + [False, *edge])
    lock, given = threading.Lock(), set()

    def answer(params: dict[str, str]) -> Reply:
        with lock:
            if not next(answers, False):
                return SPENT
            given.add(int(params["page"]))
            return row_of(params)

    def fetch(number: int) -> int | None:
        try:
            return client.page(QUERY, number).rows[0].natural_id
        except QuotaSpent:
            return None

    with served(answer, workers=workers) as (server, client), ThreadPoolExecutor(workers) as pool:
        found = [n for n in pool.map(fetch, range(1, 100)) if n]

    assert set(found) == given  # every answer was used, every other page is known to be missing
    assert found == sorted(found)
    refused = [params["page"] for _, params in server.requests].count(str(max(given) + 1))
    assert refused <= 4 + workers


def test_our_own_count_stops_before_the_request():
    left = 2

    def budget(requests: int) -> None:
        nonlocal left
        if left < requests:
            raise QuotaSpent("spent", operation="test")
        left -= requests

    with served(row_of, budget=budget) as (server, client):
        client.page(QUERY, 1)
        client.page(QUERY, 2)
        with pytest.raises(QuotaSpent):
            client.page(QUERY, 3)

    assert len(server.requests) == 2


def test_what_a_refusal_says_is_shown_without_the_key():
    reply = Reply(b'{"error": "limit of key %s"}' % KEY.encode(), status=401)
    with served(reply) as (_server, client), pytest.raises(QuotaSpent) as caught:
        client.page(QUERY, 1)

    assert "limit of key" in caught.value.message
    assert KEY not in caught.value.message
