"""The oracle itself, against expectations worked out by hand."""

import datetime as dt
from typing import Any

import pytest
from oracle import Oracle, Page, Row, Star
from star_difference import compare

KEY = 10**10
MORNING = dt.datetime.fromisoformat("2025-07-01T08:00:00")
EVENING = dt.datetime.fromisoformat("2025-07-01T20:00:00")


def _game(number: int = 1, **fields: Any) -> Row:
    usual = {
        "id": number,
        "slug": f"game-{number}",
        "name": f"Game {number}",
        "released": "2020-02-29",
        "tba": False,
        "rating": 0.0,
        "rating_top": 0,
        "playtime": 0,
        "added": 0,
        "metacritic": None,
        "updated": "2021-03-03T20:31:29",
    }
    return {**usual, **fields}


def _platform(number: int, released_at: str | None = None) -> Row:
    named = {"id": number, "name": f"P{number}", "slug": f"p{number}"}
    return {"platform": named, "released_at": released_at}


def _slim(number: int) -> Row:
    return {"platform": _platform(number)["platform"]}


def _tag(number: int, language: str = "eng") -> Row:
    return {"id": number, "name": f"T{number}", "slug": f"t{number}", "language": language}


def _star(*pages: Page) -> Star:
    return Oracle().feed(pages).star()


def _links(star: Star, dimension: str) -> list[tuple[int, int]]:
    return [(r["game_id"], r[f"{dimension}_key"] - KEY) for r in star[f"bridge_game_{dimension}"]]


def test_a_fact_row_column_by_column() -> None:
    row = _game(
        7,
        rating=4.48,
        rating_top=5,
        ratings=[
            {"id": 5, "title": "exceptional", "count": 3},
            {"id": 1, "title": "skip", "count": 2},
        ],
        ratings_count=4,
        reviews_count=5,
        added=9,
        added_by_status={"owned": 6, "beaten": 3},
        metacritic=97,
        playtime=70,
        esrb_rating={"id": 4, "name": "Mature", "slug": "mature"},
        short_screenshots=[{"id": -1, "image": "c"}, {"id": 10, "image": "a"}],
        background_image="c",
    )
    star = _star(Page([row], run="r1", fetched_at=MORNING))

    assert star["fact_games"] == [
        {
            "game_id": 7,
            "slug": "game-7",
            "name": "Game 7",
            "release_date_key": 20200229,
            "updated_date_key": 20210303,
            "esrb_rating_key": KEY + 4,
            "released_on": dt.date(2020, 2, 29),
            "is_tba": False,
            "rating": 4.48,
            "rating_top": 5,
            "ratings_count": 4,
            "reviews_count": 5,
            "reviews_text_count": 0,
            "ratings_exceptional": 3,
            "ratings_recommended": 0,
            "ratings_meh": 0,
            "ratings_skip": 2,
            "added_count": 9,
            "added_yet": 0,
            "added_owned": 6,
            "added_beaten": 3,
            "added_toplay": 0,
            "added_dropped": 0,
            "added_playing": 0,
            "metacritic_score": 97,
            "playtime_hours": 70,
            "suggestions_count": 0,
            "screenshots_count": 1,
            "background_image_url": "c",
            "source_updated_at": dt.datetime.fromisoformat("2021-03-03T20:31:29"),
            "source_code": "rawg",
            "run_id": "r1",
        }
    ]


def test_what_is_null_points_at_unknown() -> None:
    star = _star(Page([_game(released=None, updated=None, esrb_rating=None, platforms=None)]))
    (fact,) = star["fact_games"]

    assert (fact["release_date_key"], fact["updated_date_key"], fact["esrb_rating_key"]) == (
        0,
        0,
        0,
    )
    assert star["bridge_game_platform"] == []
    assert star["dim_date"] == [
        {
            "date_key": 0,
            "full_date": None,
            "year_number": None,
            "quarter_number": None,
            "month_number": None,
            "month_name": "Unknown",
            "week_of_year": None,
            "day_of_month": None,
            "day_of_week": None,
            "day_name": "Unknown",
            "is_weekend": None,
        }
    ]


def test_days_run_from_the_first_to_the_last_year() -> None:
    days = _star(Page([_game()]))["dim_date"]

    assert len(days) == 1 + 366 + 365
    assert [days[1]["date_key"], days[-1]["date_key"]] == [20200101, 20211231]
    (leap,) = [day for day in days if day["date_key"] == 20200229]
    assert leap == {
        "date_key": 20200229,
        "full_date": dt.date(2020, 2, 29),
        "year_number": 2020,
        "quarter_number": 1,
        "month_number": 2,
        "month_name": "February",
        "week_of_year": 9,
        "day_of_month": 29,
        "day_of_week": 6,
        "day_name": "Saturday",
        "is_weekend": True,
    }
    (new_year,) = [day for day in days if day["date_key"] == 20210101]
    assert (new_year["week_of_year"], new_year["is_weekend"]) == (53, False)


def test_days_once_used_stay() -> None:
    moved = _game(released="2023-05-05", updated="2023-05-05T00:00:00")
    days = _star(Page([_game()]), Page([moved]))["dim_date"]

    assert [days[1]["date_key"], days[-1]["date_key"]] == [20200101, 20231231]


def test_dimensions_have_an_unknown_member_and_keep_what_is_unused() -> None:
    parents = [{"id": 1, "name": "Family", "platforms": [{"id": 4}, {"id": 5}]}]
    star = _star(
        Page([{"id": 5, "name": "Mac", "slug": "mac"}], entity="platforms"),
        Page(parents, entity="parent_platforms"),
        Page([{"id": 1, "name": "Steam", "slug": "steam", "domain": "s.com"}], entity="stores"),
        Page([_game(platforms=[_platform(4)], stores=[{"store": {"id": 1, "name": "Steam"}}])]),
        Page([_game(platforms=[_platform(187)], updated="2022-01-01T00:00:00")]),
    )

    platforms = {r["platform_id"]: r["platform_family"] for r in star["dim_platform"]}
    assert platforms == {None: None, 4: "Family", 5: "Family", 187: None}
    assert star["dim_platform"][0]["platform_key"] == 0
    assert star["dim_store"][1] == {
        "store_key": KEY + 1,
        "store_id": 1,
        "store_name": "Steam",
        "store_slug": "steam",
        "store_domain": "s.com",
    }
    assert _links(star, "platform") == [(1, 187)]


def test_a_slim_row_never_blanks_what_a_browse_row_said() -> None:
    browse = _game(platforms=[_platform(4, "2020-03-01"), _platform(5, "2020-04-01")])
    slim = _game(platforms=[_slim(4), _slim(9)], updated="2022-01-01T00:00:00", name="New")
    star = _star(Page([browse]), Page([slim], listing="filtered"))

    assert star["fact_games"][0]["name"] == "New"
    assert [(r["platform_key"] - KEY, r["released_on"]) for r in star["bridge_game_platform"]] == [
        (4, dt.date(2020, 3, 1)),
        (9, None),
    ]


def test_russian_tags_of_the_last_filtered_row_stay() -> None:
    filtered = _game(tags=[_tag(1), _tag(2, "rus"), _tag(3, "rus")])
    browse = _game(tags=[_tag(1), _tag(4)], updated="2022-01-01T00:00:00")
    again = _game(tags=[_tag(4), _tag(3, "rus")], updated="2022-02-01T00:00:00")
    pages = [
        Page([filtered], listing="filtered"),
        Page([browse]),
        Page([again], listing="filtered"),
    ]

    assert _links(_star(*pages[:1]), "tag") == [(1, 1), (1, 2), (1, 3)]
    assert _links(_star(*pages[:2]), "tag") == [(1, 1), (1, 2), (1, 3), (1, 4)]
    assert _links(_star(*pages), "tag") == [(1, 3), (1, 4)]
    assert [row["tag_id"] for row in _star(*pages)["dim_tag"]] == [None, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("fields", "listing", "outcome"),
    [
        ({}, "filtered", "unchanged"),
        ({"tags": [_tag(2), _tag(1), _tag(3, "rus")]}, "filtered", "unchanged"),
        ({"platforms": [_slim(5), _slim(4)]}, "filtered", "unchanged"),
        ({"platforms": [_platform(5), _platform(4, "2020-01-05")]}, "browse", "enriched"),
        ({"added": 1}, "filtered", "changed"),
        ({"updated": "2021-03-03T20:31:30"}, "filtered", "changed"),
        ({"tags": [_tag(1)]}, "filtered", "changed"),
        (
            {"genres": [{"id": 4, "name": "Action", "slug": "action", "games_count": 3}]},
            "browse",
            "enriched",
        ),
    ],
)
def test_what_counts_as_a_change(fields: Row, listing: str, outcome: str) -> None:
    first = _game(
        tags=[_tag(1), _tag(2)],
        platforms=[_slim(4), _slim(5)],
        genres=[{"id": 4, "name": "Action", "slug": "action"}],
    )
    oracle = Oracle().feed(
        [
            Page([first], run="a", listing="filtered"),
            Page([{**first, **fields}], run="b", listing=listing),
        ]
    )

    assert oracle.counts == {"a": {"new": 1}, "b": {outcome: 1}}


def test_the_first_browse_row_enriches_only_once() -> None:
    pages = [
        Page([_game()], listing="filtered"),
        Page([_game()], run="b"),
        Page([_game()], run="c"),
    ]
    oracle = Oracle().feed(pages)

    assert oracle.counts["b"] == {"enriched": 1}
    assert oracle.counts["c"] == {"unchanged": 1}
    assert oracle.star()["fact_games"][0]["run_id"] == "b"


def test_history_grows_when_a_measure_differs() -> None:
    versions = [
        _game(added=1),
        _game(added=1, name="Renamed"),
        _game(added=2, name="Renamed"),
        _game(added=1, name="Renamed"),
    ]
    star = _star(
        *[Page([row], fetched_at=MORNING + dt.timedelta(hours=i)) for i, row in enumerate(versions)]
    )

    assert [(r["added_count"], r["observed_at"].hour) for r in star["fact_game_history"]] == [
        (1, 8),
        (2, 10),
        (1, 11),
    ]


def test_rows_without_an_id_and_doubled_members_are_passed_over() -> None:
    star = _star(
        Page([{"id": None}, {"id": True}, {}, _game(tags=[_tag(1), _tag(1), {"id": None}])])
    )

    assert len(star["fact_games"]) == 1
    assert _links(star, "tag") == [(1, 1)]


def _changed(star: Star, table: str, **fields: Any) -> Star:
    first, *rest = star[table]
    return {**star, table: [{**first, **fields}, *rest]}


def test_equal_stars_have_no_difference() -> None:
    morning = _star(Page([_game()], run="a", fetched_at=MORNING))
    evening = _star(Page([_game()], run="b", fetched_at=EVENING))

    assert compare(morning, evening) == []
    assert compare(morning, evening, ignore=()) != []


def test_differences_are_named() -> None:
    star = _star(Page([_game(1), _game(2)]))
    missing = {**star, "fact_games": star["fact_games"][:1]}

    assert compare(_changed(star, "fact_games", rating=1.0), star) == [
        "fact_games game_id=1: rating is 1.0, expected 0.0"
    ]
    assert compare(missing, star) == ["fact_games: 1 rows missing: game_id=2"]
    assert compare(star, missing) == ["fact_games: 1 rows too many: game_id=2"]
    assert compare(_changed(star, "dim_tag", surprise=1), star) == [
        "dim_tag: column surprise is unexpected"
    ]
    assert "dim_tag: table is missing" in compare({}, star)


def test_a_doubled_row_is_a_difference() -> None:
    star = _star(Page([_game(1)]))
    doubled = {**star, "fact_games": star["fact_games"] * 2}

    assert compare(doubled, star) == ["fact_games: 1 rows too many: game_id=1 (#2)"]
