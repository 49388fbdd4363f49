"""The text of the curated views: documented, and plain enough for DuckDB and Dremio alike."""

import re
from pathlib import Path

import pytest
import sqlglot
from literal_star import answers
from sqlglot import exp

from etl.iceberg_schemas import TABLES
from serving.view_files import View, load_views

VIEWS = {view.name: view for view in load_views()}
# Contract questions_and_traps.md, section 1.3; the grain's columns come first.
COLUMNS = {
    "games_clean": "game_id name released_on release_year date_precision is_released player_rating "
    "votes rating_state metacritic playtime_hours added n_store n_genre n_platform is_itch_only",
    "catalogue_coverage": "release_year loaded_games source_games coverage_pct as_of",
    "releases_by_year": "release_year catalogue games games_on_a_shelf year_only_dates rated_games",
    "release_seasonality": "release_decade release_month games noticed_games",
    "genre_summary": "genre games games_split rated_games rated_pct avg_rating "
    "vote_weighted_rating median_playtime_hours shelf_adds_split",
    "genre_year": "release_year genre games share_pct rated_games avg_rating",
    "platform_summary": "platform games exclusive_games rated_games avg_rating "
    "critic_scored_games avg_metacritic critic_coverage_pct",
    "platform_genre": "platform genre games games_split rated_games avg_rating",
    "store_reach": "store games only_here also_on_steam rated_games avg_rating",
    "top_games": "game_id name base_title released_on player_rating votes score",
    "critic_vs_player": "game_id name release_year votes metacritic player_score_100 gap",
    "shelf_funnel": "game_id name added owned beaten dropped playing to_play not_played "
    "finished_of_settled_pct",
    "tag_summary": "tag tag_kind games games_on_a_shelf rated_games avg_rating",
    "age_rating_mix": "age_rating catalogue games rated_games",
    "upcoming": "game_id name released_on date_kind added to_play",
    "data_gaps": "gap games of_games",
    "load_date": "as_of",
}
# Everything else a function call may be was looked up in Dremio's reference.
FUNCTIONS = re.compile(
    r"AVG|CAST|COALESCE|COUNT|EXTRACT|LOWER|MAX|MEDIAN|MOD|POSITION|REGEXP_REPLACE|SUBSTRING|SUM|TRIM"
)
KEYWORDS = re.compile(r"AND|AS|BY|CASE|ELSE|FROM|IN|JOIN|OR|OVER|THEN|WHEN|WHERE")
USUALLY_RESERVED = re.compile(
    r"YEAR|MONTH|DAY|DATE|RANK|VALUE|COUNT|LANGUAGE|RESULT|POSITION|START|END|PERIOD|METHOD|RELEASE"
    r"|USER|ROWS?|PERCENT|RANGE|ONE|PER|MATCH|NEW|OLD|FILTER|LIMIT"
)


def _code(view: View) -> str:
    return re.sub(r"--[^\n]*", "", view.sql)


def _without_text(view: View) -> str:
    return re.sub(r"'(?:[^']|'')*'", "''", _code(view))


def test_the_views_are_those_of_the_contract() -> None:
    assert VIEWS.keys() == COLUMNS.keys()


def test_columns_are_as_declared(tmp_path: Path) -> None:
    names = list(COLUMNS)
    described = answers(tmp_path, *[f"DESCRIBE {name}" for name in names])

    assert {n: [row[0] for row in d] for n, d in zip(names, described, strict=True)} == {
        name: columns.split() for name, columns in COLUMNS.items()
    }


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_the_header_says_grain_question_and_trap(view: View) -> None:
    assert view.header.keys() == {"grain", "question", "trap"}
    assert view.header["grain"].startswith("one row")
    assert view.header["question"].endswith("?")
    assert all(not line.startswith("--") for line in view.header.values())


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_the_text_is_one_select_in_dremios_dialect(view: View) -> None:
    (parsed,) = sqlglot.parse(view.sql, read="dremio")

    assert isinstance(parsed, exp.Select | exp.Union)
    tables = {table.name for table in parsed.find_all(exp.Table)}
    assert tables <= view.references, "a table stands elsewhere than after FROM or JOIN"
    known = {cte.alias for cte in parsed.find_all(exp.CTE)} | TABLES.keys() | VIEWS.keys()
    assert tables <= known
    assert not [table for table in parsed.find_all(exp.Table) if table.db], "only bare names"


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_only_functions_that_both_engines_have(view: View) -> None:
    called = set(re.findall(r"\b([A-Z_]+)\s*\(", _without_text(view).upper()))

    assert not [n for n in called if not FUNCTIONS.fullmatch(n) and not KEYWORDS.fullmatch(n)]
    assert "::" not in _without_text(view)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS.keys())
def test_aliases_are_written_with_as(view: View) -> None:
    parsed = sqlglot.parse_one(view.sql, read="dremio")
    aliases = [a.alias for a in parsed.find_all(exp.Alias, exp.TableAlias) if a.name or a.alias]
    written = re.findall(r"\bAS\s+([a-z_][a-z0-9_]*)", _code(view))

    assert set(filter(None, aliases)) <= set(written) | {
        cte.alias for cte in parsed.find_all(exp.CTE)
    }


def _identifiers(view: View) -> set[str]:
    parsed = sqlglot.parse_one(view.sql, read="dremio")
    return {i.name.upper() for i in parsed.find_all(exp.Identifier) if not i.quoted}


@pytest.mark.recorded
def test_no_identifier_is_reserved_in_dremio(recorded_data: Path) -> None:
    reserved = set(
        (recorded_data.parent / "contracts/dremio_reserved_words.txt").read_text().split()
    )

    assert {"YEAR", "RANK", "VALUE"} <= reserved
    for view in VIEWS.values():
        assert not _identifiers(view) & reserved, view.name


def test_no_identifier_is_one_of_the_usual_reserved_ones() -> None:
    for view in VIEWS.values():
        assert not [i for i in _identifiers(view) if USUALLY_RESERVED.fullmatch(i)], view.name


def test_every_mean_stands_beside_its_number_of_games() -> None:
    for name, columns in COLUMNS.items():
        means = [column for column in columns.split() if column.startswith("avg_")]
        for mean in means:
            n = {"avg_rating": "rated_games", "avg_metacritic": "critic_scored_games"}[mean]
            assert n in columns.split(), name


def test_a_view_comes_after_the_views_it_reads() -> None:
    order = list(VIEWS)
    for view in VIEWS.values():
        for other in view.references & VIEWS.keys():
            assert order.index(other) < order.index(view.name)
