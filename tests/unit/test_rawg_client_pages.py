"""What the client hands over when the source behaves."""

import json

import pytest
from rawg_client import KEY, QUERY, Heard, served
from stub_http import Reply, chunked, gzipped, page

from ingestion.rawg_fetcher import ListingQuery, RowHead
from storage import layout
from utils.errors import SourceError

ROWS = [{"id": 7, "updated": "2020-01-02T03:04:05", "released": "2020-01-01"}, {"id": 9}]


def test_a_page_carries_heads_and_the_rows_as_sent():
    body = b'{"count": 41, "next": "x", "results": [ {"id": 7, "rating": 4.10} ]}'
    with served(Reply(body)) as (_server, client):
        found = client.page(QUERY, 2)

    assert found.results == b'[ {"id": 7, "rating": 4.10} ]'
    assert (found.number, found.count, found.has_next, found.past_end) == (2, 41, True, False)
    assert found.rows == (RowHead(7, None, None),)


def test_a_request_names_page_size_and_key_and_who_asks():
    with served(Reply(page(ROWS))) as (server, client):
        client.page(QUERY, 3, page_size=20)

    path, params = server.requests[0]
    dates = {"dates": "2020-01-01,2020-12-31", "ordering": "created"}
    assert path == "/api/games"
    assert params == dates | {"page": "3", "page_size": "20", "key": KEY}
    assert server.headers[0]["user-agent"].startswith("gamelake/")
    assert server.headers[0]["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(page(ROWS)),
        gzipped(page(ROWS)),
        chunked(Reply(page(ROWS * 100))),
        chunked(gzipped(page(ROWS))),
    ],
)
def test_pages_share_one_connection(reply):
    with served(reply) as (server, client):
        found = [client.page(QUERY, number) for number in range(1, 20)]

    assert server.connections == 1
    assert all(one.rows[:2] == found[0].rows[:2] != () for one in found)


@pytest.mark.parametrize(
    ("query", "envelope", "rows", "listing"),
    [
        (QUERY, {"user_platforms": False}, [], layout.FILTERED),
        (QUERY, {"user_platforms": None, "seo_title": "All Games"}, [], layout.FILTERED),
        (ListingQuery.browse("-updated"), {"seo_title": "All Games"}, [], layout.BROWSE),
        (ListingQuery.browse("-updated"), {}, [{"id": 1, "score": None}], layout.FILTERED),
        (ListingQuery.browse("-updated"), {}, [{"id": 1}], layout.BROWSE),
        (QUERY, {}, [{"id": 1}], layout.FILTERED),
    ],
)
def test_the_listing_is_the_one_that_answered(query, envelope, rows, listing):
    body = json.dumps({"count": 1, "next": None, "results": rows} | envelope).encode()
    with served(Reply(body)) as (_server, client):
        assert client.page(query, 1).listing == listing


YEARS = [{"year": 2020, "count": 7, "nofollow": True}, {"year": 2021, "count": 0}]


@pytest.mark.parametrize(
    ("filters", "years"),
    [
        ({"years": [{"from": 2020, "years": YEARS}, {"years": []}]}, ((2020, 7), (2021, 0))),
        ({"years": [{"years": YEARS}, {"years": YEARS}]}, ()),
        ({"years": [{"years": [{"year": "2020", "count": 7}]}]}, ()),
        ({"years": [{"years": [{"year": 2020, "count": -1}]}]}, ()),
        ({"years": None}, ()),
        ([1], ()),
        (None, ()),
    ],
)
def test_the_size_of_each_year_is_read_where_it_is_said_clearly(filters, years):
    envelope = {"count": 9, "next": None, "results": [], "seo_title": "", "filters": filters}
    with served(Reply(json.dumps(envelope).encode())) as (_server, client):
        assert client.page(ListingQuery.browse("-updated"), 1).years == years


@pytest.mark.parametrize("status", [404, 200])
def test_past_the_end_is_what_rawg_says_in_its_own_words(status):
    reply = Reply(b'{"detail":"Invalid page."}', status=status)
    with served(reply) as (_server, client):
        found = client.page(QUERY, 251)

    assert found.past_end
    assert found.rows == ()
    assert found.results == b"[]"


def test_a_404_to_the_first_page_is_a_wrong_address():
    reply = Reply(b'{"detail":"Not found."}', status=404)
    with served(reply) as (server, client), pytest.raises(SourceError) as caught:
        client.page(QUERY, 1)

    assert "/api" in caught.value.hint
    assert len(server.requests) == 1


def test_one_row_with_half_a_surrogate_pair_costs_no_other_row():
    body = rb'{"count":2,"next":null,"results":[{"id":1,"name":"\ud83d"},{"id":2}]}'
    with served(Reply(body)) as (_server, client):
        found = client.page(QUERY, 1)

    assert found.results == rb'[{"id":1,"name":"\ud83d"},{"id":2}]'
    assert [head.natural_id for head in found.rows] == [None, 2]


@pytest.mark.parametrize(
    "row",
    ["5", "null", '"x"', "[]", '{"id":true}', '{"id":0}', "{}", "[" * 100_000 + "]" * 100_000],
    ids=lambda row: row[:12],
)
def test_a_broken_row_still_counts_as_a_row(row):
    body = b'{"count":2,"next":null,"results":[{"id":1},%s]}' % row.encode()
    with served(Reply(body)) as (_server, client):
        found = client.page(QUERY, 1)

    assert [head.natural_id for head in found.rows] == [1, None]


def test_a_lookup_is_all_its_pages():
    def answer(params: dict[str, str]) -> Reply:
        last = params["page"] == "3"
        rows = [{"id": int(params["page"])}]
        return Reply(page(rows, count=3, next=None if last else "more"))

    with served(answer) as (server, client):
        found = client.lookup("parent_platforms")

    assert json.loads(found) == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert {path for path, _ in server.requests} == {"/api/platforms/lists/parents"}


def test_every_request_is_counted_before_it_is_sent():
    spent, heard = [], Heard()
    with served(Reply(page(ROWS)), budget=spent.append, listener=heard) as (server, client):
        client.page(QUERY, 1)
        client.page(QUERY, 2)

    assert spent == [1, 1]
    assert heard.requests == len(server.requests) == 2
