"""Which rows are accepted, which are refused and why."""

import json

import pytest
from game_rows import browse_game, filtered_game, restored, results, without_nulls

from ingestion.rows import read_rows

GAME = browse_game(7)
NESTED = {"platforms": [{"platform": {"id": 4, "name": "PC", "slug": "pc", "image": 5}}]}


@pytest.mark.parametrize(
    "row",
    [
        GAME,
        filtered_game(GAME),
        browse_game(10**10 - 1),
        GAME | {"community_rating": 0},
        GAME | {"rating": 0, "ratings": [{"id": 5, "title": "x", "count": 1, "percent": 100}]},
        GAME | dict.fromkeys(("released", "metacritic", "esrb_rating", "background_image")),
        GAME | dict.fromkeys(("platforms", "parent_platforms", "stores", "tags", "genres")),
        GAME | {"added_by_status": {}, "short_screenshots": [], "ratings": []},
        GAME | {"name": "", "slug": "a\x00b\n\u2028😀\uffff"},
        GAME | {"added": -(2**63), "playtime": 2**63 - 1, "rating": 1e308},
        GAME | {"brand_new": {"deep": [1, {"a": None}]}},
        {"id": 1, "slug": "a", "name": "A", "updated": "2026-07-01T10:20:30"},
    ],
)
def test_an_accepted_row_loses_nothing(row):
    good, bad = read_rows(results(row))

    assert bad == []
    assert without_nulls(restored(good[0].payload, good[0].extra)) == without_nulls(row)
    assert (good[0].natural_id, good[0].updated) == (row["id"], row["updated"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "Expected `int`, got `null` - at `$.id`"),
        ({"id": "7"}, "Expected `int`, got `str` - at `$.id`"),
        ({"id": 7.0}, "Expected `int`, got `float` - at `$.id`"),
        ({"id": True}, "Expected `int`, got `bool` - at `$.id`"),
        ({"id": 0}, "Expected `int` >= 1 - at `$.id`"),
        ({"id": 10**10}, "Expected `int` <= 9999999999 - at `$.id`"),
        ({"name": None}, "Expected `str`, got `null` - at `$.name`"),
        ({"slug": 5}, "Expected `str`, got `int` - at `$.slug`"),
        ({"tba": None}, "Expected `bool`, got `null` - at `$.tba`"),
        ({"tba": 0}, "Expected `bool`, got `int` - at `$.tba`"),
        ({"added": None}, "Expected `int`, got `null` - at `$.added`"),
        ({"added": 2**64}, "Expected `int` <= 9223372036854775807 - at `$.added`"),
        ({"rating": "4.5"}, "Expected `float`, got `str` - at `$.rating`"),
        ({"rating": float("nan")}, "JSON is malformed"),
        ({"metacritic": 71.5}, "Expected `int | null`, got `float` - at `$.metacritic`"),
        ({"updated": None}, "Expected `str`, got `null` - at `$.updated`"),
        ({"updated": "2026-07-01"}, "updated is not YYYY-MM-DDTHH:MM:SS"),
        ({"updated": "2026-07-01 10:20:30"}, "updated is not YYYY-MM-DDTHH:MM:SS"),
        ({"updated": "2026-07-01T10:20:30Z"}, "updated is not YYYY-MM-DDTHH:MM:SS"),
        ({"updated": "2026-07-01T10:20:30.5"}, "updated is not YYYY-MM-DDTHH:MM:SS"),
        ({"updated": "2026-W27-3T10:20:30"}, "updated is not YYYY-MM-DDTHH:MM:SS"),
        ({"updated": "2026-02-30T10:20:30"}, "day is out of range for month"),
        ({"updated": ""}, "Invalid isoformat string"),
        ({"released": "20200517"}, "released is not YYYY-MM-DD"),
        ({"released": "2020-W20-7"}, "released is not YYYY-MM-DD"),
        ({"released": "2021-02-29"}, "day is out of range for month"),
        ({"released": "TBA"}, "Invalid isoformat string"),
        ({"released": 2020}, "Expected `str | null`, got `int` - at `$.released`"),
        ({"genres": {}}, "Expected `array | null`, got `object` - at `$.genres`"),
        ({"genres": [None]}, "Expected `object`, got `null` - at `$.genres[0]`"),
        ({"genres": [{"id": 1}]}, "missing required field `name` - at `$.genres[0]`"),
        (NESTED, "Expected `str | null`, got `int` - at `$.platforms[0].platform.image`"),
        ({"added_by_status": []}, "Expected `object | null`, got `array`"),
        ({"name": "half \ud83d"}, "malformed"),
        ({"user_game": ["half \ud83d"]}, "malformed"),
    ],
)
def test_a_refused_row_says_why_and_spoils_no_neighbour(change, reason):
    row = json.dumps(GAME | change).encode()
    good, bad = read_rows(b"[%s,%s]" % (row, json.dumps(browse_game(8)).encode()))

    assert [game.natural_id for game in good] == [8]
    assert reason in bad[0].reason or (reason == "malformed" and "truncated" in bad[0].reason)
    assert bad[0].payload == row.decode()
    assert bad[0].natural_id == json.dumps((GAME | change)["id"])


@pytest.mark.parametrize("missing", ["id", "slug", "name", "updated"])
def test_what_every_row_needs(missing):
    row = {name: value for name, value in GAME.items() if name != missing}
    _, bad = read_rows(results(row))

    assert bad[0].reason == f"Object missing required field `{missing}`"


@pytest.mark.parametrize("row", [b"null", b"5", b'"x"', b"[]", b'{"id":7,"name":"\xff\xfe"}'])
def test_what_is_no_row_is_counted(row):
    good, bad = read_rows(b"[%s]" % row)

    assert good == []
    assert len(bad) == 1
    assert bad[0].payload == row.decode("utf-8", "backslashreplace")


def test_a_row_without_a_bottom_is_counted():
    deep = b"[" * 100_000 + b"]" * 100_000
    rows = b'[{"id":1,"user_game":%s},%s]' % (deep, json.dumps(GAME).encode())
    good, bad = read_rows(rows)

    assert [game.natural_id for game in good] == [7]
    assert bad[0].reason == "nested too deeply"
    assert bad[0].natural_id == "1"


def test_of_a_repeated_key_the_last_one_counts_on_both_ways():
    text = json.dumps(GAME)[1:-1]
    fast, slow = '{"id": 5, %s}', '{"new": 1, "id": 5, %s}'
    for form in (fast, slow):
        good, _ = read_rows(f"[{form % text}]".encode())

        assert [game.natural_id for game in good] == [7]


def test_undeclared_fields_are_kept_to_the_letter():
    text = json.dumps(GAME)[:-1] + ', "new": {"b":1.50,  "a":[]}, "a/b~": 1e2}'
    good, _ = read_rows(f"[{text}]".encode())

    assert '"new":{"b":1.50,  "a":[]}' in good[0].extra
    assert '"/a~1b~0":1e2' in good[0].extra


def test_nested_undeclared_fields_are_kept_under_their_pointer():
    row = browse_game(1)
    row["platforms"][1]["requirements_ru"]["devices"] = []
    good, _ = read_rows(results(row, browse_game(2)))

    assert json.loads(good[0].extra) == {
        "user_game": None,
        "clip": None,
        "/platforms/1/requirements_ru/devices": [],
    }
    assert json.loads(good[1].extra) == {"user_game": None, "clip": None}


@pytest.mark.parametrize("text", [b"", b"{}", b"[1", b"[1]]", b'["', b"null"])
def test_what_is_no_array_is_no_page(text):
    with pytest.raises(ValueError, match=r".+"):
        read_rows(text)
