"""Listings: shapes, orders, filters, links, the depth limit, errors, and lies on demand."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated import BASE, Local, local

Json = dict[str, Any]
EVERY_DAY = "1950-01-01,2040-12-31"


@pytest.fixture(scope="module")
def games() -> Local:
    """A catalogue that no test of this module changes."""
    return local(games=500, seed=11)


@pytest.fixture(scope="module")
def rows(games: Local) -> list[Json]:
    return games.crawl()


def test_browse_shows_every_game_once_by_added(rows: list[Json]) -> None:
    assert len({row["id"] for row in rows}) == len(rows) == 500
    added = [row["added"] for row in rows]
    assert added == sorted(added, reverse=True)


@pytest.mark.parametrize(
    ("params", "shape"),
    [
        ({}, "browse"),
        ({"ordering": "-released"}, "browse"),
        ({"page_size": 5, "page": 2}, "browse"),
        ({"dates": EVERY_DAY}, "filtered"),
        ({"updated": EVERY_DAY}, "filtered"),
        ({"search": "iron"}, "filtered"),
        ({"genres": "action"}, "filtered"),
        ({"metacritic": "50,100"}, "filtered"),
    ],
)
def test_the_query_decides_the_shape(games: Local, params: Json, shape: str) -> None:
    body = games.get(**params)
    tail = list(body)[4:]
    assert tail == ["user_platforms"] if shape == "filtered" else tail[0] == "seo_title"
    assert ("score" in body["results"][0]) == (shape == "filtered")


def test_which_filters_alone_keep_the_browse_shape_is_a_switch() -> None:
    games = local(games=50, browse_filters=("genres",))
    assert "seo_title" in games.get(genres="4")
    assert "seo_title" not in games.get(genres="4", dates=EVERY_DAY)
    assert "seo_title" not in games.get(platforms="4")


@pytest.mark.parametrize("field", ["released", "added", "updated", "rating", "metacritic", "name"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_ordering(games: Local, rows: list[Json], field: str, sign: str) -> None:
    def key(row: Json) -> tuple[bool, Any]:
        value = row[field].casefold() if field == "name" else row[field]
        return (value is not None, value if value is not None else 0)

    found = games.crawl(ordering=sign + field)
    keys = [key(row) for row in found]
    assert keys == sorted((key(row) for row in rows), reverse=bool(sign))


def test_ordering_released_begins_with_undated_games(games: Local) -> None:
    first = games.get(ordering="released")["results"][0]
    assert first["released"] is None


def test_ordering_created_is_by_id(games: Local) -> None:
    ids = [row["id"] for row in games.crawl(ordering="created")]
    assert ids == sorted(ids)


DAYS = st.dates(min_value=date(2015, 1, 1), max_value=date(2026, 12, 31))


@settings(max_examples=60, deadline=None)
@given(ranges=st.lists(st.tuples(DAYS, DAYS), min_size=1, max_size=3), field=st.booleans())
def test_date_ranges(
    games: Local, rows: list[Json], ranges: list[tuple[date, date]], field: bool
) -> None:
    name, column = ("dates", "released") if field else ("updated", "updated")
    text = ".".join(f"{low},{high}" for low, high in ranges)
    expected = {
        row["id"]
        for row in rows
        if row[column] and any(str(a) <= row[column][:10] <= str(b) for a, b in ranges)
    }
    found = games.crawl(**{name: text, "ordering": "-released"})
    assert {row["id"] for row in found} == expected
    assert games.get(**{name: text})["count"] == len(expected)


def test_a_range_that_is_none_matches_nothing(games: Local) -> None:
    assert games.get(dates="soon")["count"] == 0


def test_facets_are_ored_within_and_anded_between(games: Local, rows: list[Json]) -> None:
    def carries(row: Json, genres: set[int], store: int) -> bool:
        return bool(genres & {g["id"] for g in row["genres"]}) and store in {
            s["store"]["id"] for s in row["stores"]
        }

    found = games.crawl(genres="action,7", stores="itch")
    expected = {row["id"] for row in rows if carries(row, {4, 7}, 9)}
    assert expected
    assert {row["id"] for row in found} == expected
    assert games.get(genres="no-such-genre")["count"] == 0


def test_search_finds_words_and_the_very_name_first(games: Local, rows: list[Json]) -> None:
    name = next(row["name"] for row in rows if " " in row["name"])
    word = name.split()[1]
    found = games.crawl(search=word.upper())
    assert {r["id"] for r in found} == {
        r["id"] for r in rows if word.casefold() in r["name"].casefold()
    }
    assert games.get(search=name)["results"][0]["name"] == name
    assert games.get(search=name, search_exact="true")["count"] == 1


def test_page_size_is_20_and_clamped_to_40(games: Local) -> None:
    sizes = [len(games.get(**p)["results"]) for p in ({}, {"page_size": 100}, {"page_size": 0})]
    assert sizes == [20, 40, 20]


def test_links_echo_all_parameters_sorted_and_encoded(games: Local) -> None:
    first = games.get(page_size=5, dates="2020-01-01,2023-12-31", key="k e")
    query = "dates=2020-01-01%2C2023-12-31&key=k+e"
    assert first["previous"] is None
    assert first["next"] == f"{BASE}/api/games?{query}&page=2&page_size=5"
    second = games.get(page_size=5, dates="2020-01-01,2023-12-31", key="k e", page=2)
    assert second["previous"] == f"{BASE}/api/games?{query}&page_size=5"
    third = games.get(page_size=5, dates="2020-01-01,2023-12-31", key="k e", page=3)
    assert third["previous"] == f"{BASE}/api/games?{query}&page=2&page_size=5"


def test_filtered_listings_end_at_the_depth_limit_but_count_on() -> None:
    games = local(games=300, depth_limit=100)
    found = games.crawl(dates=EVERY_DAY)
    assert len(found) == 100
    assert games.get(dates=EVERY_DAY)["count"] > 280
    assert games.reply(dates=EVERY_DAY, page_size=40, page=4).status == 404
    assert len(games.crawl()) == 300


@pytest.mark.parametrize("page", ["0", "-1", "26", "x", "9" * 30])
def test_no_such_page(games: Local, page: str) -> None:
    reply = games.reply(page=page)
    assert (reply.status, reply.body) == (404, b'{"detail":"Invalid page."}')


def test_keys() -> None:
    games = local(games=10, key="right")
    answers = [games.reply(key=key) for key in ("", "wrong", "right")]
    assert [answer.status for answer in answers] == [401, 401, 200]
    assert json.loads(answers[0].body) == {"error": "The key parameter is not provided"}


def test_quota() -> None:
    games = local(games=10, quota=3)
    replies = [games.reply() for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 401]
    assert json.loads(replies[3].body) == {"error": "The monthly API limit reached"}


def test_lookups_and_detail(games: Local, rows: list[Json]) -> None:
    assert [games.get(p)["count"] for p in ("genres", "stores", "tags")] == [19, 10, 9_672]
    first, second = games.get("platforms"), games.get("platforms", page=2)
    assert (len(first["results"]), first["count"], second["results"][0]["slug"]) == (50, 51, "web")
    assert second["next"] is None
    assert len(games.get("platforms/lists/parents")["results"]) == 14
    assert len(games.get("genres")["results"][0]["games"]) == 6
    assert games.get(f"games/{rows[0]['id']}")["name_original"] == rows[0]["name"]
    missing = games.reply("games/999999999")
    assert (missing.status, missing.body) == (404, b'{"detail":"Not found."}')


def test_year_facets_count_the_dated_games(games: Local, rows: list[Json]) -> None:
    decades = games.get()["filters"]["years"]
    dated = sum(row["released"] is not None for row in rows)
    assert sum(year["count"] for decade in decades for year in decade["years"]) == dated


def test_added_drifts_while_one_pages() -> None:
    games = local(games=200, drift=40)
    before = games.simulator.catalogue.columns.added.sum()
    found = games.crawl()
    assert games.simulator.catalogue.columns.added.sum() == before + 5 * 40
    assert len(found) == 200
    assert len({row["id"] for row in found}) < 200  # rows moved between pages
    for row in found:
        assert row["added"] == sum((row["added_by_status"] or {}).values())


def test_latency_grows_with_depth() -> None:
    games = local(games=50, latency_ms=100)
    assert games.reply(page_size=1).delay == pytest.approx(0.1, rel=0.01)
    assert games.simulator._latency(900_000) == pytest.approx(0.43)


@pytest.mark.parametrize(
    ("lie", "count", "sizes"),
    [
        ({"count_lie": 7}, 107, [40, 40, 20]),
        ({"page_cap": 15}, 100, [15, 15, 15, 15, 15, 15, 10]),
        ({"end_page": 2}, 100, [40, 40]),
        ({"null_next_page": 1}, 100, [40]),
        ({"empty_listing": True}, 0, [0]),
    ],
)
def test_lies(lie: Json, count: int, sizes: list[int]) -> None:
    games = local(games=100)
    games.tell("lie", **lie)
    found, body = [], {"next": ""}
    while body["next"] is not None:
        body = games.get(page=len(found) + 1, page_size=40)
        found.append(len(body["results"]))
    assert (body["count"], found) == (count, sizes)
    games.tell("lie")
    assert len(games.crawl()) == 100


def test_a_page_is_served_twice_and_a_next_leads_nowhere() -> None:
    games = local(games=100)
    games.tell("lie", repeat_page=1, next_error_page=2)
    first, second = games.get(page=1), games.get(page=2)
    assert first["results"] == second["results"]
    path, _, query = second["next"].removeprefix(f"{BASE}/api/").partition("?")
    assert games.reply(path, raw=query).status == 500


def test_lies_may_be_about_one_query_only() -> None:
    games = local(games=100)
    games.tell("lie", match="dates=2021", empty_listing=True)
    assert games.get(dates="2021-01-01,2021-12-31")["count"] == 0
    assert games.get(dates="2022-01-01,2022-12-31")["count"] > 0


def test_no_games_at_all() -> None:
    games = local(games=0)
    assert games.get()["results"] == []
    assert games.get(dates=EVERY_DAY) == {
        "count": 0, "next": None, "previous": None, "results": [], "user_platforms": False,
    }  # fmt: skip
