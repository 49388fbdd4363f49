"""The dimensions: last known names, members that stay, keys that depend on nothing else."""

from typing import Any

import pytest
from raw_builder import game, lookup, named, platform, store, tag
from star_builder import build, table

from etl.iceberg_schemas import TABLES

KEY = 10**10
NAMED_DIMENSIONS = [n for n in TABLES if n.startswith("dim_") and n != "dim_date"]


def _names(rows: list[dict[str, Any]], stem: str) -> dict[int, str]:
    return {row[f"{stem}_id"]: row[f"{stem}_name"] for row in rows}


@pytest.mark.parametrize("name", NAMED_DIMENSIONS)
def test_an_empty_dimension_has_the_unknown_member(name: str) -> None:
    stem = name.removeprefix("dim_")

    [row] = build([], only=(name,))[name]

    known = {f"{stem}_key": 0, f"{stem}_name": "Unknown", f"{stem}_slug": "unknown"}
    assert row == {column: known.get(column) for column in TABLES[name].arrow().names}


def test_a_name_is_the_last_observed_one_in_games_and_look_ups() -> None:
    games = [
        game(1, at=1, genres=[named(4, "Acton"), named(5, "RPG")]),
        game(2, at=4, genres=[named(5, "Role playing")]),
    ]
    genres = [lookup(4, "Action", at=2), lookup(5, "Roles", at=3), lookup(6, "Unused", at=3)]

    rows = table("dim_genre", games, {"genres": genres})

    assert _names(rows, "genre") == {4: "Action", 5: "Role playing", 6: "Unused"}
    assert [row["genre_key"] for row in rows] == [KEY + 4, KEY + 5, KEY + 6]


def test_a_member_stays_when_no_game_has_it_any_more() -> None:
    games = [game(1, at=1, tags=[tag(9)]), game(1, at=2, tags=[])]

    assert [row["tag_id"] for row in table("dim_tag", games)] == [9]


def test_a_null_says_nothing() -> None:
    games = [
        game(1, at=1, tags=[{"id": 9, "name": "Old", "slug": "old", "language": "eng"}]),
        game(1, at=2, tags=[{"id": 9, "name": None, "slug": "new", "language": None}]),
    ]

    [row] = table("dim_tag", games)

    assert (row["tag_name"], row["tag_slug"], row["language_code"]) == ("Old", "new", "eng")


def test_of_two_names_in_one_row_the_greater_wins() -> None:
    for names in (["a", "b"], ["b", "a"]):
        games = [game(1, genres=[named(4, name) for name in names])]

        assert _names(table("dim_genre", games), "genre") == {4: "b"}


def test_a_domain_is_the_last_known_one() -> None:
    games = [
        game(1, at=1, stores=[store(1, "steam.old"), store(2, "gog.com")]),
        game(1, at=3, listing="filtered", stores=[store(1), store(2), store(3)]),
    ]
    stores = [lookup(1, "n1", at=2, domain="steam.new")]

    rows = table("dim_store", games, {"stores": stores})

    assert [row["store_domain"] for row in rows] == ["steam.new", "gog.com", None]


def test_the_family_is_the_parents_name() -> None:
    games = [game(1, at=9, platforms=[platform(4), platform(18), platform(99)])]
    parents = [
        lookup(1, "PC", at=1, platforms=[named(4)]),
        lookup(2, "PlayStaton", at=1, platforms=[named(18), named(4)]),
        lookup(2, "PlayStation", at=2, platforms=[named(18)]),
    ]

    rows = table("dim_platform", games, {"parent_platforms": parents})

    families = {row["platform_id"]: row["platform_family"] for row in rows}
    assert families == {4: "PC", 18: "PlayStation", 99: None}


def test_a_platform_that_two_parents_claim_belongs_to_the_one_seen_later() -> None:
    parents = [
        lookup(1, "A", at=2, platforms=[named(4)]),
        lookup(2, "B", at=1, platforms=[named(4)]),
    ]

    rows = table("dim_platform", [game(1, platforms=[platform(4)])], {"parent_platforms": parents})

    assert rows[0]["platform_family"] == "A"


def test_age_ratings_come_from_both_listings() -> None:
    both = {"id": 4, "name": "Mature", "slug": "mature", "name_en": "Mature", "name_ru": "C 17"}
    games = [game(1, at=1, esrb_rating=both), game(2, at=1, esrb_rating=None)]

    assert _names(table("dim_esrb_rating", games), "esrb_rating") == {4: "Mature"}
