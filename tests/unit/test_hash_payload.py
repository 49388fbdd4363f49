"""What changes the hash of a game and what does not: DESIGN 5, Change."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from game_rows import Row, browse_game, filtered_game, named, recorded_rows, results
from hypothesis import given
from hypothesis import strategies as st

from ingestion.payload_hash import HashedGame, payload_hashes

GAME = browse_game(7)
LISTS = [
    "ratings",
    "platforms",
    "parent_platforms",
    "genres",
    "stores",
    "tags",
    "short_screenshots",
]  # all that the source sends in an order of its own


def hash_of(row: Row) -> str:
    return payload_hashes(results(row))[0]


def changed(path: str, value: Any) -> Row:
    """GAME with one value replaced; `path` is dotted, `del` removes."""
    row = copy.deepcopy(GAME)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at: Any = row
    for step in steps:
        at = at[step]
    at[last] = value
    return row


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", 8),
        ("slug", "game-8"),
        ("name", "game 7"),
        ("updated", "2026-07-01T10:20:31"),
        ("released", None),
        ("tba", True),
        ("background_image", "https://x/other.jpg"),
        ("rating", 3.51),
        ("rating_top", 5),
        ("ratings_count", 9),
        ("reviews_text_count", 0),
        ("reviews_count", 9),
        ("suggestions_count", 21),
        ("added", 13),
        ("added_by_status.owned", 11),
        ("added_by_status.playing", 1),
        ("metacritic", None),
        ("playtime", 7),
        ("saturated_color", "ffffff"),
        ("dominant_color", "ffffff"),
        ("esrb_rating", None),
        ("esrb_rating.id", 5),
        ("esrb_rating.name", "M"),
        ("ratings.0.count", 6),
        ("ratings.0.percent", 62.51),
        ("ratings.0.title", "meh"),
        ("platforms.0.platform.id", 5),
        ("platforms.0.platform.name", "macOS"),
        ("parent_platforms.1.platform.slug", "other"),
        ("genres.0.name", "Adventure"),
        ("stores.0.store.id", 3),
        ("tags.0.name", "Solo"),
        ("tags.0.language", "deu"),
        ("short_screenshots.1.image", "https://x/56.jpg"),
        ("short_screenshots.1.id", 56),
        *((name, []) for name in LISTS),
    ],
)
def test_a_change_of_a_hashed_field_changes_the_hash(path, value):
    assert hash_of(changed(path, value)) != hash_of(GAME)


def test_every_hashed_field_is_tried_above():
    mark = test_a_change_of_a_hashed_field_changes_the_hash.pytestmark[0]
    tried = {path.partition(".")[0] for path, _ in mark.args[1]}

    assert tried == {field.name for field in msgspec.structs.fields(HashedGame)}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("platforms.0.released_at", "1999-09-09"),
        ("platforms.0.requirements_en", None),
        ("platforms.0.requirements_ru", {"minimum": "x"}),
        ("platforms.0.platform.games_count", 1),
        ("platforms.0.platform.image_background", None),
        ("platforms.0.platform.year_start", 1),
        ("genres.0.games_count", 1),
        ("genres.0.image_background", None),
        ("stores.0.id", 1),
        ("stores.0.store.domain", "other.com"),
        ("tags.0.games_count", 1),
        ("tags.0.image_background", None),
        ("tags.2", named(42396, "Экшен", language="rus")),
        ("esrb_rating.name_ru", "x"),
        ("user_game", {}),
        ("clip", "x"),
        ("score", 5),
        ("community_rating", 4),
        ("brand_new", 1),
    ],
)
def test_what_drifts_or_is_in_one_listing_only_does_not(path, value):
    row = GAME | {"tags": [value, *GAME["tags"]]} if path == "tags.2" else changed(path, value)

    assert hash_of(row) == hash_of(GAME)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"rating": 0}, {"rating": 0.0}),
        ({"rating": 4}, {"rating": 4.0}),
        ({"stores": None}, {"stores": []}),
        ({"platforms": None}, {"platforms": []}),
        ({"tags": None}, {"tags": [named(1, "r", language="rus")]}),
        ({"added_by_status": None}, {"added_by_status": {}}),
        ({"added_by_status": {"yet": 3}}, {"added_by_status": {"owned": 0, "yet": 3}}),
    ],
)
def test_two_ways_to_say_the_same(one, other):
    assert hash_of(GAME | one) == hash_of(GAME | other)


def test_keys_in_any_order_are_the_same_game():
    assert hash_of(dict(reversed(GAME.items()))) == hash_of(GAME)


@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_lists_in_any_order_are_the_same_game(dice: random.Random, twins: int):
    """Also where an id repeats, so that the order cannot come from the id alone."""
    row = copy.deepcopy(GAME)
    row["tags"] += [named(31, f"twin {number}", language="eng") for number in range(twins)]
    before = hash_of(row)
    for name in LISTS:
        dice.shuffle(row[name])

    assert hash_of(row) == before


@given(st.integers(1, 2**40), st.lists(st.sampled_from(LISTS), unique=True), st.booleans())
def test_both_listings_of_a_game_are_the_same_game(number, empty, rated):
    row = browse_game(number) | {name: [] for name in empty}
    if not rated:
        row |= {"community_rating": 0, "rating": 0, "metacritic": None, "esrb_rating": None}

    assert hash_of(filtered_game(row)) == hash_of(row)


@pytest.mark.recorded
def test_recorded_games_are_the_same_in_the_other_listing(recorded_data: Path):
    rows = json.loads((recorded_data / "rawg/filtered_shape/dates_filter_page.json").read_text())
    slim = [row | {"tags": _english(row["tags"])} for row in rows["results"]]

    assert payload_hashes(results(*rows["results"])) == payload_hashes(results(*slim))


@pytest.mark.recorded
def test_recorded_browse_pages_slimmed_are_the_same_games(recorded_data: Path):
    rows = recorded_rows(recorded_data, "games_page_1.json.gz", "games_page_9321.json.gz")
    hashes = payload_hashes(results(*rows))

    assert payload_hashes(results(*map(filtered_game, rows))) == hashes
    assert len(set(hashes)) == len(rows) == 80


def _english(tags: list[Row]) -> list[Row]:
    return [tag for tag in tags if tag["language"] != "rus"]


def test_the_hash_does_not_change_between_versions_of_the_program():
    """A new hash would make every stored game look changed: change it with a decision only."""
    assert hash_of(GAME) == "8d1904f30344102fc0c78c5752bc4818"
