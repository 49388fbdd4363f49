"""A game's filtered row and detail follow from its browse row."""

import json

import pytest

from simulator.shapes import detail_row, encode, filtered_row
from simulator.vocabulary import Row

PC = {"id": 4, "name": "PC", "slug": "pc", "games_count": 9, "image": None}
MAC = {"id": 5, "name": "macOS", "slug": "macos", "games_count": 9, "image": None}
ACTION = {"id": 4, "name": "Action", "slug": "action", "games_count": 9}
SHOOTER = {"id": 2, "name": "Shooter", "slug": "shooter", "games_count": 9}
STEAM = {"id": 1, "name": "Steam", "slug": "steam", "domain": "store.steampowered.com"}
SINGLE = {"id": 31, "name": "Singleplayer", "slug": "singleplayer", "language": "eng"}


def browse_row(**changes: object) -> Row:
    row = {
        "id": 7,
        "slug": "a-game",
        "name": "A Game",
        "released": "2020-01-02",
        "background_image": None,
        "added": 1,
        "metacritic": None,
        "platforms": [
            {"platform": PC, "released_at": "2020-01-02", "requirements_en": {"minimum": "x"}},
            {"platform": MAC, "released_at": None, "requirements_en": None},
        ],
        "parent_platforms": [{"platform": {"id": 1, "name": "PC", "slug": "pc"}}],
        "genres": [ACTION, SHOOTER],
        "stores": [{"id": 99, "store": STEAM}],
        "tags": [SINGLE],
        "esrb_rating": {"id": 4, "name": "Mature", "slug": "mature"},
        "short_screenshots": [],
    }
    detail = (
        "tba rating rating_top ratings ratings_count reviews_text_count added_by_status playtime"
    )
    rest = "suggestions_count updated user_game reviews_count saturated_color dominant_color clip"
    return dict.fromkeys(f"{detail} {rest}".split(), 0) | row | changes


def test_filtered_row_is_slimmer() -> None:
    row = filtered_row(browse_row())
    assert {json.dumps(p) for p in row["platforms"]} == {
        '{"platform": {"id": 4, "name": "PC", "slug": "pc"}}',
        '{"platform": {"id": 5, "name": "macOS", "slug": "macos"}}',
    }
    assert row["stores"] == [{"store": {"id": 1, "name": "Steam", "slug": "steam"}}]
    assert sorted(g["slug"] for g in row["genres"]) == ["action", "shooter"]
    assert all(set(genre) == {"id", "name", "slug"} for genre in row["genres"])
    assert row["esrb_rating"]["name_ru"] == "С 17 лет"  # noqa: RUF001 - Cyrillic is meant
    assert row["score"] is None
    assert list(row)[:3] == ["slug", "name", "playtime"]
    assert list(row)[-1] == "genres"


def test_some_filtered_rows_carry_russian_tags() -> None:
    languages = [
        {tag["language"] for tag in filtered_row(browse_row(id=ident))["tags"]}
        for ident in range(180)
    ]
    assert sum("rus" in found for found in languages) == 133
    assert all("eng" in found for found in languages)


def test_genres_are_in_another_order_on_some_games() -> None:
    orders = {tuple(g["id"] for g in filtered_row(browse_row(id=i))["genres"]) for i in range(100)}
    assert orders == {(4, 2), (2, 4)}


@pytest.mark.parametrize(("ident", "expected"), [(8, None), (9, [])])
def test_empty_lists_are_null_on_some_games(ident: int, expected: object) -> None:
    assert filtered_row(browse_row(id=ident, stores=[]))["stores"] == expected


def test_missing_and_unknown_fields_stay_missing_and_unknown() -> None:
    assert "community_rating" not in filtered_row(browse_row())
    assert filtered_row(browse_row(community_rating=0))["community_rating"] == 0
    assert filtered_row(browse_row(new_field=1))["new_field"] == 1


def test_detail_has_requirements_and_empty_store_urls() -> None:
    row = detail_row(browse_row())
    assert [p["requirements"] for p in row["platforms"]] == [{"minimum": "x"}, {}]
    assert row["stores"][0]["url"] == ""
    assert row["description"].startswith("<p>")
    assert row["developers"] == []
    assert "short_screenshots" not in row


def test_lone_surrogates_survive_encoding() -> None:
    assert json.loads(encode({"name": "\ud800 é"})) == {"name": "\ud800 é"}
