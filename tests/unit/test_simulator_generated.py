"""Invented games have the shares and quirks that contracts/rawg.md counts."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from simulator.draws import BACKFILL, BUSY_DAY, CHUNK, Blend
from simulator.generator import chunk_rows
from simulator.vocabulary import PLATFORMS, TAGS, Row

BLEND = Blend(games=3 * CHUNK, seed=7)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for first in range(0, BLEND.games, CHUNK) for row in chunk_rows(BLEND, first)]


def on_itch_alone(row: Row) -> bool:
    return [store["store"]["id"] for store in row["stores"]] == [9]


def slug_is_suffixed(row: Row) -> bool:
    return re.search(r"-[2-8]$", row["slug"]) is not None


SHARES: dict[str, tuple[Callable[[Row], bool], float, float]] = {
    "undated": (lambda r: r["released"] is None, 0.033, 0.006),
    "shares the backfill's `updated`": (lambda r: r["updated"] == BACKFILL, 0.27, 0.015),
    "has no vote": (lambda r: r["ratings"] == [], 0.86, 0.015),
    "is rated": (lambda r: r["rating"] > 0, 0.045, 0.008),
    "has a Metacritic score": (lambda r: r["metacritic"] is not None, 0.011, 0.004),
    "has no age rating": (lambda r: r["esrb_rating"] is None, 0.93, 0.02),
    "has no genre": (lambda r: r["genres"] == [], 0.23, 0.06),
    "has no tag": (lambda r: r["tags"] == [], 0.10, 0.02),
    "has no store": (lambda r: r["stores"] == [], 0.07, 0.04),
    "has no cover": (lambda r: r["background_image"] is None, 0.04, 0.02),
    "ends in a bracket": (lambda r: r["name"].endswith(")"), 0.15, 0.04),
    "is on itch.io alone": (on_itch_alone, 0.63, 0.03),
    "has a suffixed slug": (slug_is_suffixed, 0.055, 0.02),
}


@pytest.mark.parametrize("what", SHARES)
def test_share(rows: list[Row], what: str) -> None:
    wanted, expected, tolerance = SHARES[what]
    assert sum(map(wanted, rows)) / len(rows) == pytest.approx(expected, abs=tolerance)


def test_added_has_a_long_tail(rows: list[Row]) -> None:
    added = np.array([row["added"] for row in rows])
    p50, p90, p99 = np.percentile(added, [50, 90, 99])
    assert p50 == 0
    assert 5 <= p90 <= 10
    assert 350 <= p99 <= 900
    assert added.max() > 5_000


def test_names_slugs_and_ids_are_unique(rows: list[Row]) -> None:
    for values in (
        {row["id"] for row in rows},
        {row["slug"] for row in rows},
        {row["name"].casefold() for row in rows},
    ):
        assert len(values) == len(rows)
    assert max(len(row["slug"]) for row in rows) <= 50


def test_counts_within_a_row_agree(rows: list[Row]) -> None:
    for row in rows:
        votes = sum(rating["count"] for rating in row["ratings"])
        assert row["reviews_count"] == votes
        assert row["added"] == sum((row["added_by_status"] or {}).values())
        assert (row["rating"] > 0) == (row["rating_top"] > 0) == (votes >= 6)
        assert ("community_rating" in row) == (row["rating_top"] == 0)
        if row["ratings"]:
            assert sum(r["percent"] for r in row["ratings"]) == pytest.approx(100, abs=0.1)
        if row["short_screenshots"]:
            assert row["short_screenshots"][0] == {"id": -1, "image": row["background_image"]}


def test_a_smaller_catalogue_is_the_beginning_of_a_larger_one(rows: list[Row]) -> None:
    assert chunk_rows(Blend(games=50, seed=7), 0) == rows[:50]
    assert chunk_rows(Blend(games=50, seed=8), 0) != rows[:50]


def test_busy_month_and_day_get_at_least_what_was_asked() -> None:
    blend = Blend(games=5_000, seed=3, busy_month=3_000, busy_day=786)
    dates = [row["released"] for first in (0, CHUNK) for row in chunk_rows(blend, first)]
    assert sum(date is not None and date.startswith("2019-05") for date in dates) >= 3_000
    assert dates.count(BUSY_DAY) >= 786


def test_vocabulary_has_the_sizes_that_rawg_has() -> None:
    assert len(PLATFORMS) == 51
    assert len(TAGS) == 9_672
    assert len({tag["id"] for tag in TAGS}) == len({tag["slug"] for tag in TAGS}) == len(TAGS)
