"""fact_games: what each column says, and that what the source leaves out is not made up."""

from datetime import date, datetime
from typing import Any

import pytest
from raw_builder import game
from star_builder import table

KEY = 10**10


def _fact(**fields: Any) -> dict[str, Any]:
    [row] = table("fact_games", [game(1, **fields)])
    return row


def test_the_latest_version_wins_whatever_order_it_is_stored_in() -> None:
    rows = table("fact_games", [game(1, at=2, name="new"), game(1, at=1, name="old"), game(2)])

    assert [(row["game_id"], row["name"]) for row in rows] == [(1, "new"), (2, "Game 2")]


def test_of_one_game_twice_on_a_page_the_later_row_wins() -> None:
    rows = table("fact_games", [game(1, at=5, name="first"), game(1, at=5, name="second")])

    assert [row["name"] for row in rows] == ["second"]


def test_counts_left_out_are_0_and_unknown_measures_stay_null() -> None:
    row = _fact(rating=None, added_by_status={"owned": 3})

    assert row["added_owned"] == 3
    zero = ("added_yet", "ratings_meh", "reviews_count", "suggestions_count", "added_count")
    assert [row[name] for name in zero] == [0] * len(zero)
    assert [row[n] for n in ("rating", "metacritic_score", "playtime_hours")] == [None] * 3


def test_a_rating_of_0_is_kept() -> None:
    assert _fact(rating=0.0, ratings_count=5)["rating"] == 0.0


def test_votes_come_from_ratings_by_id_in_any_order() -> None:
    votes = [{"id": 1, "count": 4}, {"id": 5, "count": 7}, {"id": 3, "count": 2}]

    row = _fact(ratings=votes)

    names = ("exceptional", "recommended", "meh", "skip")
    assert [row[f"ratings_{name}"] for name in names] == [7, 0, 2, 4]


@pytest.mark.parametrize(
    ("shots", "count"),
    [(None, 0), ([], 0), ([{"id": -1}], 0), ([{"id": -1}, {"id": 7}, {"id": 8}], 2)],
)
def test_the_cover_is_no_screenshot(shots: Any, count: int) -> None:
    assert _fact(short_screenshots=shots)["screenshots_count"] == count


def test_keys_lead_to_dimensions() -> None:
    row = _fact(
        released="2020-02-29", updated="2025-07-10T23:59:59", esrb_rating={"id": 4, "name": "M"}
    )

    assert (row["released_on"], row["release_date_key"]) == (date(2020, 2, 29), 20200229)
    assert row["source_updated_at"] == datetime.fromisoformat("2025-07-10T23:59:59")
    assert row["updated_date_key"] == 20250710
    assert row["esrb_rating_key"] == KEY + 4


@pytest.mark.parametrize(
    "text",
    [None, "", "0000-01-01", "2020-02-30", "2020-2-3", "20200203", "2020-02-03T00:00:00", "TBA"],
)
def test_a_date_that_is_none_is_null_with_key_0(text: str | None) -> None:
    row = _fact(released=text, updated=text)

    if text != "2020-02-03T00:00:00":  # a timestamp, so good for `updated`
        assert (row["source_updated_at"], row["updated_date_key"]) == (None, 0)
    assert (row["released_on"], row["release_date_key"]) == (None, 0)
    assert row["esrb_rating_key"] == 0


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31"])
def test_a_date_off_the_calendar_is_kept_with_key_0(text: str) -> None:
    row = _fact(released=text)

    assert (row["released_on"], row["release_date_key"]) == (date.fromisoformat(text), 0)


def test_lineage_is_that_of_the_version() -> None:
    row = _fact(at=3, _run_id="r7", _payload_hash="abc")

    assert (row["source_code"], row["run_id"], row["payload_hash"]) == ("rawg", "r7", "abc")
