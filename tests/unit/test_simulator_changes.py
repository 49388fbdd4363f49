"""What a test may do to a running simulation, and that every listing shows it."""

import base64
import json

import pytest
from simulated import Local, local


@pytest.fixture
def games() -> Local:
    return local(games=120, seed=5)


def test_a_changed_game_is_the_newest_and_changed_in_both_shapes(games: Local) -> None:
    before = games.get(ordering="-updated")["results"][0]["updated"]
    answer = games.tell("change", ident=12, fields={"name": "Zed", "released": "1977-07-07"})
    for params in ({"ordering": "-updated"}, {"dates": "1977-07-07,1977-07-07"}, {"search": "zed"}):
        row = games.get(**params)["results"][0]
        assert (row["id"], row["name"], row["updated"]) == (12, "Zed", answer["updated"])
    assert answer["updated"] > before
    names = [row["name"].casefold() for row in games.crawl(ordering="name")]
    assert names == sorted(names)
    assert "zed" in names


def test_a_game_may_change_while_updated_stands_still(games: Local) -> None:
    before = games.tell("row", ident=12)["row"]
    games.tell("change", ident=12, fields={"added": 99_999}, touch=False)
    first = games.get()["results"][0]
    assert (first["id"], first["updated"]) == (12, before["updated"])


def test_changed_facets_are_filtered_by(games: Local) -> None:
    genre = {"id": 17, "name": "Card", "slug": "card", "games_count": 1, "image_background": ""}
    count = games.get(genres="card")["count"]
    had = any(g["id"] == 17 for g in games.tell("row", ident=12)["row"]["genres"])
    games.tell("change", ident=12, fields={"genres": [genre]})
    assert games.get(genres="card")["count"] == count + (not had)
    games.tell("change", ident=12, fields={"genres": []})
    assert games.get(genres="card")["count"] == count - had


def test_removed_and_added_games(games: Local) -> None:
    gone = [row["id"] for row in games.get(page_size=3)["results"]]
    games.tell("remove", idents=gone)
    new = games.tell("add", game={"name": "Brand New", "added": 1_000_000})["id"]
    ids = [row["id"] for row in games.crawl()]
    assert len(ids) == 118
    assert not set(gone) & set(ids)
    assert ids[0] == new
    assert games.get(search="brand new")["count"] == 1
    assert games.get(f"games/{new}")["name"] == "Brand New"
    assert games.reply(f"games/{gone[0]}").status == 404


def test_raw_bytes_stand_in_for_a_row_in_both_shapes(games: Local) -> None:
    body = base64.b64encode(b'{"id":12,"name":7,"id":11}').decode()
    games.tell("raw", ident=12, body=body)
    for params in ({}, {"dates": "1950-01-01,2040-01-01"}):
        raw = b"".join(games.reply(page=p, page_size=40, **params).body for p in (1, 2, 3))
        assert raw.count(b'{"id":12,"name":7,"id":11}') == 1
    games.tell("churn", games=120, seed=1)  # changing a game makes its row right again
    assert 12 in {row["id"] for row in games.crawl()}


def test_churn_changes_exactly_what_it_names(games: Local) -> None:
    before = {row["id"]: row for row in games.crawl()}
    clock = games.tell("state")["clock"]
    changed = games.tell("churn", games=15, seed=2)["changed"]
    after = {row["id"]: row for row in games.crawl()}
    assert sorted(i for i in before if before[i] != after[i]) == changed
    newest = games.crawl(ordering="-updated")[:15]
    assert sorted(row["id"] for row in newest) == changed
    assert len({row["updated"] for row in newest}) == 15
    assert min(row["updated"] for row in newest) > clock


def test_the_clock_can_be_advanced(games: Local) -> None:
    clock = games.tell("state")["clock"]
    assert games.tell("advance", seconds=86_400)["clock"] > clock


def test_counters_tell_kinds_and_listing_queries(games: Local) -> None:
    games.get(page_size=40)
    games.get(page_size=40, key="another")
    games.get("genres")
    games.reply("games/12")
    games.reply(key="")
    games.tell("page_fault", match="page=2", kind="html")
    games.reply(page=2)
    counters = games.tell("counters")
    assert counters["kinds"] == {
        "listing": 2, "lookup": 1, "detail": 1, "refused": 1, "faulted": 1,
    }  # fmt: skip
    assert counters["pages"] == {"page_size=40": 2}
    assert counters["faults"] == {"html": 1}
    games.tell("reset_counters")
    assert games.tell("counters")["kinds"] == {}


def test_knobs_can_be_turned(games: Local) -> None:
    games.tell("set", depth_limit=40, quota=1)
    games.tell("reset_quota", spent=0)
    assert [games.reply().status for _ in range(2)] == [200, 401]
    games.tell("faults", profile="storm", seed=2)
    assert games.tell("state")["faults"] == "storm"


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("no_such_verb", {}),
        ("_position", {"ident": 1}),
        ("handle", {}),
        ("set", {"no_such_knob": 1}),
        ("lie", {"no_such_lie": 1}),
        ("faults", {"profile": "gentle"}),
        ("page_fault", {"match": "", "kind": "gentle"}),
        ("change", {"ident": 999_999, "fields": {}}),
        ("step", {"no_such_argument": 1}),
    ],
)
def test_what_cannot_be_done_is_refused(games: Local, verb: str, arguments: object) -> None:
    status, body = games.controls.handle(verb, json.dumps(arguments).encode())
    assert status == 400
    assert verb in json.loads(body)["error"]
