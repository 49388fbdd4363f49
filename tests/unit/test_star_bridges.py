"""The bridges: the lists of the latest version, and what a slimmer row must not blank."""

from datetime import date
from typing import Any

from raw_builder import Row, game, named, platform, store, tag
from star_builder import table

from storage.layout import BROWSE, FILTERED

KEY = 10**10


def _platforms(*versions: Row) -> dict[int, date | None]:
    rows = table("bridge_game_platform", versions)
    assert {row["game_id"] for row in rows} <= {1}
    return {row["platform_key"] - KEY: row["released_on"] for row in rows}


def _tags(*versions: Row) -> list[int]:
    return [row["tag_key"] - KEY for row in table("bridge_game_tag", versions)]


def _version(at: int, listing: str, **fields: Any) -> Row:
    return game(1, at=at, listing=listing, **fields)


def test_platforms_are_those_of_the_latest_version() -> None:
    old = _version(1, BROWSE, platforms=[platform(4), platform(5)])
    new = _version(2, BROWSE, platforms=[platform(5), platform(6)])

    assert _platforms(old, new) == {5: None, 6: None}


def test_a_filtered_row_does_not_blank_a_release_date() -> None:
    browse = _version(1, BROWSE, platforms=[platform(4, "2020-01-02"), platform(5, "2021-01-02")])
    filtered = _version(2, FILTERED, platforms=[platform(4), platform(6)])

    assert _platforms(browse, filtered) == {4: date(2020, 1, 2), 6: None}


def test_a_platform_that_comes_back_has_the_date_that_browse_said() -> None:
    browse = _version(1, BROWSE, platforms=[platform(4, "2020-01-02")])
    without = _version(2, FILTERED, platforms=[])
    back = _version(3, FILTERED, platforms=[platform(4)])

    assert _platforms(browse, without) == {}
    assert _platforms(browse, without, back) == {4: date(2020, 1, 2)}


def test_the_last_browse_row_decides_even_when_it_says_less() -> None:
    dated = _version(1, BROWSE, platforms=[platform(4, "2020-01-02")])
    undated = _version(2, BROWSE, platforms=[platform(4)])
    filtered = _version(3, FILTERED, platforms=[platform(4)])

    assert _platforms(dated, undated, filtered) == {4: None}


def test_a_release_date_is_null_until_a_browse_row_was_seen() -> None:
    assert _platforms(_version(1, FILTERED, platforms=[platform(4)])) == {4: None}


def test_a_release_date_that_is_none_is_null() -> None:
    assert _platforms(_version(1, BROWSE, platforms=[platform(4, "2020-02-31")])) == {4: None}


def test_a_platform_listed_twice_counts_once_with_its_first_day() -> None:
    twice = [platform(4, "2021-01-01"), platform(4), platform(4, "2020-01-01")]

    assert _platforms(_version(1, BROWSE, platforms=twice)) == {4: date(2020, 1, 1)}


def test_russian_tags_come_from_the_last_filtered_row_the_others_from_the_latest() -> None:
    first = _version(1, FILTERED, tags=[tag(1), tag(10, "rus"), tag(11, "rus")])
    second = _version(2, FILTERED, tags=[tag(1), tag(11, "rus")])
    browse = _version(3, BROWSE, tags=[tag(2), tag(3, ""), tag(4, None)])

    assert _tags(first, second, browse) == [2, 3, 4, 11]


def test_russian_tags_go_when_a_filtered_row_says_so() -> None:
    first = _version(1, FILTERED, tags=[tag(1), tag(10, "rus")])
    second = _version(2, FILTERED, tags=[tag(1)])

    assert _tags(first, second) == [1]


def test_stores_and_genres_are_those_of_the_latest_version_once_each() -> None:
    old = _version(1, BROWSE, stores=[store(1)], genres=[named(7)])
    new = _version(2, FILTERED, stores=[store(2), store(2)], genres=[named(9), named(8), named(9)])

    stores = table("bridge_game_store", [old, new])
    genres = table("bridge_game_genre", [old, new])
    assert stores == [{"game_id": 1, "store_key": KEY + 2}]
    assert [row["genre_key"] - KEY for row in genres] == [8, 9]


def test_null_lists_and_entries_without_an_id_give_no_row() -> None:
    nothing = _version(1, BROWSE, platforms=None, tags=[{"id": None, "name": "x"}], genres=[])
    no_store = game(2, at=1, stores=[{"id": 5, "store": None}])

    for name in ("platform", "store", "genre", "tag"):
        assert table(f"bridge_game_{name}", [nothing, no_store]) == []
