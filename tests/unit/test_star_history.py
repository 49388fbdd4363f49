"""fact_game_history: the first version, then only those whose measures moved."""

from typing import Any

from raw_builder import EPOCH, Row, game
from star_builder import table


def _observed(*versions: Row) -> list[tuple[int, int]]:
    rows = table("fact_game_history", versions)
    first = EPOCH.replace(tzinfo=None)
    return [(row["game_id"], (row["observed_at"] - first).microseconds) for row in rows]


def _versions(*measures: dict[str, Any]) -> list[Row]:
    return [game(1, at=at, **fields) for at, fields in enumerate(measures)]


def test_a_version_whose_measures_are_equal_adds_none() -> None:
    same = {"rating": 4.0, "added": 10, "ratings_count": 3, "metacritic": 80, "playtime": 2}

    versions = _versions(same, {**same, "name": "Renamed"}, {**same, "_listing": "filtered"})

    assert _observed(*versions) == [(1, 0)]


def test_each_measure_counts() -> None:
    changes = [
        {"rating": 4.0},
        {"rating": 4.1},
        {"rating": 4.1, "added": 1},
        {"rating": 4.1, "added": 1, "ratings_count": 2},
        {"rating": 4.1, "added": 1, "ratings_count": 2, "metacritic": 70},
        {"rating": 4.1, "added": 1, "ratings_count": 2, "metacritic": 70, "playtime": 5},
        {"rating": 4.1, "added": 1, "ratings_count": 2, "playtime": 5},
    ]

    assert _observed(*_versions(*changes)) == [(1, at) for at in range(7)]


def test_a_measure_that_goes_back_is_a_change() -> None:
    versions = _versions({"added": 1}, {"added": 2}, {"added": 2}, {"added": 1})

    assert _observed(*versions) == [(1, 0), (1, 1), (1, 3)]


def test_games_do_not_mix_and_storage_order_does_not_matter() -> None:
    versions = [game(2, at=3, added=9), game(1, at=2, added=5), game(1, at=1, added=5), game(2)]

    assert _observed(*versions) == [(1, 1), (2, 0), (2, 3)]


def test_a_count_left_out_equals_0() -> None:
    assert _observed(*_versions({"added": None}, {"added": 0})) == [(1, 0)]


def test_one_game_twice_on_a_page_is_one_observation_its_last() -> None:
    versions = [game(1, at=1, added=1), game(1, at=1, added=2), game(1, at=2, added=2)]

    rows = table("fact_game_history", versions)

    assert [row["added_count"] for row in rows] == [2]


def test_lineage_is_that_of_each_version() -> None:
    versions = [game(1, at=1, added=1, _run_id="a"), game(1, at=2, added=2, _run_id="b")]

    rows = table("fact_game_history", versions)

    assert [(row["run_id"], row["payload_hash"]) for row in rows] == [("a", "h1"), ("b", "h2")]
