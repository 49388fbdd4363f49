"""fact_source_years: what the source said last of its release years."""

from raw_builder import moment, year_counts
from star_builder import build

from storage.layout import YEAR_COUNTS


def _built(*observed: list) -> list[tuple]:
    raw = {YEAR_COUNTS: [row for rows in observed for row in rows]}
    rows = build([], raw, only=("fact_source_years",))["fact_source_years"]
    return [(row["release_year_key"], row["source_games"]) for row in rows]


def test_games_of_no_year_have_key_0():
    assert _built(year_counts({None: 3, 2019: 0, 2020: 7})) == [(0, 3), (2019, 0), (2020, 7)]


def test_the_last_word_replaces_all_that_was_said_before():
    later, earlier = year_counts({2020: 8, 2021: 1}, at=5), year_counts({None: 3, 2020: 7}, at=4)

    assert _built(earlier, later) == _built(later, earlier) == [(2020, 8), (2021, 1)]


def test_a_row_says_who_said_it_when_and_in_which_run():
    raw = {YEAR_COUNTS: year_counts({2020: 7}, at=9)}
    (row,) = build([], raw, only=("fact_source_years",))["fact_source_years"]

    assert (row["source_code"], row["run_id"]) == ("rawg", "run-1")
    assert row["observed_at"] == moment(9).replace(tzinfo=None)


def test_without_counts_the_table_is_empty():
    assert _built() == []
