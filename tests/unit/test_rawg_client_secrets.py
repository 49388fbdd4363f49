"""The key is in nothing that the client gives away. Contract: reliability.md test 22."""

import base64
import json
import logging
import traceback
from urllib.parse import quote

import pytest
from rawg_client import KEY, QUERY, Heard, make_client, served
from stub_http import Reply, gzipped, page

from utils.errors import GamelakeError

ODD_KEY = "käse & brot/=100%+c0ffee"
FORMS = {
    key: {key, quote(key), quote(key, safe=""), json.dumps(key)[1:-1], repr(key)[1:-1]}
    | {base64.b64encode(key.encode()).decode().rstrip("=")}
    for key in (KEY, ODD_KEY)
}


def leaks(text: str, key: str) -> list[str]:
    return [form for form in FORMS[key] if form in text]


def everything_in(error: BaseException) -> str:
    """Message, repr, attributes and the traceback with every cause and context."""
    shown = "".join(traceback.format_exception(error))
    seen: BaseException | None = error
    while seen is not None:
        shown += f"{seen!r} {seen.args} {vars(seen)}"
        seen = seen.__cause__ or seen.__context__
    return shown


def echo(key: str, **options: object) -> Reply:
    return Reply(f"<html>no: key={key} {key} {quote(key, safe='')}</html>".encode(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [KEY, ODD_KEY])
@pytest.mark.parametrize(
    "make_reply",
    [
        lambda key: echo(key, status=502),
        echo,
        lambda key: echo(key, status=401),
        lambda key: echo(key, status=404),
        lambda key: echo(key, reset=True),
        lambda key: echo(key, cut=20),
        lambda key: (
            echo(key, status=301, headers={"Location": f"http://127.0.0.1:1/?key={key}"})
            if key.isascii()
            else echo(key, status=301)
        ),
        lambda key: gzipped(echo(key).body, keep=0.5),
        lambda key: Reply(json.dumps({"count": key}).encode()),
        lambda key: Reply(json.dumps({key: key, "results": 1}).encode()),
    ],
)
def test_no_failure_shows_the_key(make_reply, key, caplog):
    caplog.set_level(logging.INFO)
    heard = Heard()
    with (
        served(make_reply(key), api_key=key, attempts=1, listener=heard) as (server, client),
        pytest.raises(GamelakeError) as caught,
    ):
        client.page(QUERY, 1)

    assert server.requests[0][1]["key"] == key  # else the test would prove nothing
    assert not leaks(everything_in(caught.value), key)
    assert not leaks(json.dumps(caught.value.as_dict(), ensure_ascii=False), key)
    assert not leaks(caplog.text + str(heard.retries), key)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1/api", "http://no.such.host.invalid/api"])
def test_no_unreachable_host_shows_the_key(base_url):
    with make_client(base_url, attempts=1) as client, pytest.raises(GamelakeError) as caught:
        client.page(QUERY, 1)

    assert not leaks(everything_in(caught.value), KEY)


def test_no_unreadable_page_shows_the_key():
    def answer(params: dict[str, str]) -> Reply:
        return echo(KEY) if params["page"] == "2" else Reply(page([]))

    with served(answer) as (_server, client):
        client.page(QUERY, 1)
        with pytest.raises(GamelakeError) as caught:
            client.page(QUERY, 2)

    assert "no:" in caught.value.excerpt
    assert not leaks(everything_in(caught.value) + caught.value.excerpt, KEY)


@pytest.mark.parametrize("key", [KEY, ODD_KEY])
def test_rows_that_echo_the_key_are_handed_over_without_it(key):
    rows = [{"id": 1, "website": f"https://rawg.io/?key={quote(key, safe='')}", "name": key}]
    body = page(rows, next=f"http://api/games?key={quote(key)}&page=2")
    with served(Reply(body), api_key=key) as (_server, client):
        found = client.page(QUERY, 1)

    cleaned = {"id": 1, "website": "https://rawg.io/?key=REDACTED", "name": "REDACTED"}
    assert json.loads(found.results) == [cleaned]
    assert found.has_next
    assert not leaks(repr(found), key)


def test_a_key_of_a_few_letters_changes_no_word():
    rows = [{"id": 1, "name": "Demo", "slug": "demo", "website": "https://x/?key=demo"}]
    with served(Reply(page(rows)), api_key="demo") as (_server, client):
        found = client.page(QUERY, 1)

    assert json.loads(found.results) == [rows[0] | {"website": "https://x/?REDACTED"}]


def test_the_client_does_not_show_the_key():
    with make_client("http://127.0.0.1:1/api") as client:
        assert KEY not in repr(client) + str(vars(client))
