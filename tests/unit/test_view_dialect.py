"""The views' text for Dremio: branch and path after every name, nothing reserved, still SQL."""

import re

import pytest
import sqlglot
from dremio_standin_sql import RESERVED, SqlRefusedError, check_identifiers, without_versions
from sqlglot import exp

from etl.iceberg_schemas import TABLES
from serving import dremio_text
from serving.dremio_setup import Documented, wanted_views
from serving.dremio_text import SQL_MARK, WIKI_MARK, view_sql
from serving.view_files import View, load_views

NAMES = [view.name for view in load_views()]
WANTED = {view.name: view for view in wanted_views()}


def _of(sql: str, *others: str) -> str:
    return view_sql(View("tried", sql), others).removeprefix(f"{SQL_MARK}\n").strip()


@pytest.mark.parametrize("view", WANTED.values(), ids=WANTED.keys())
def test_every_view_passes_dremios_rules(view: Documented) -> None:
    plain = without_versions(view.sql, view=True)

    check_identifiers(plain)
    (parsed,) = sqlglot.parse(plain, read="dremio")
    assert isinstance(parsed, exp.Select | exp.Union)


@pytest.mark.parametrize("view", WANTED.values(), ids=WANTED.keys())
def test_every_table_has_a_path_and_only_nessies_a_branch(view: Documented) -> None:
    (parsed,) = sqlglot.parse(without_versions(view.sql, view=True), read="dremio")
    common = {cte.alias for cte in parsed.find_all(exp.CTE)}
    tables = [t for t in parsed.find_all(exp.Table) if t.name not in common]
    paths = [(t.catalog, t.db) for t in tables]

    assert paths
    assert all(
        path == (("nessie", "games") if table.name in TABLES else ("", "curated"))
        for path, table in zip(paths, tables, strict=True)
        if view.name not in TABLES or table.name in TABLES
    )
    assert view.sql.count(" AT BRANCH main") == sum(p == ("nessie", "games") for p in paths)


@pytest.mark.parametrize("view", load_views(), ids=NAMES)
def test_nothing_but_names_and_comments_changes(view: View) -> None:
    without_path = re.sub(r"\b(?:nessie\.games|curated)\.", "", view_sql(view, NAMES))
    bare = without_path.replace(" AT BRANCH main", "").removeprefix(f"{SQL_MARK}\n")
    code = "".join(line for line in view.sql.splitlines(True) if not line.startswith("--"))

    assert bare == code.strip() + "\n"


def test_names_in_texts_comments_and_functions_stay() -> None:
    assert _of("SELECT 'FROM fact_games' FROM fact_games") == (
        "SELECT 'FROM fact_games' FROM nessie.games.fact_games AT BRANCH main"
    )
    assert _of("SELECT 1 -- FROM fact_games 'x\nFROM dim_tag") == (
        "SELECT 1 FROM nessie.games.dim_tag AT BRANCH main"
    )
    assert _of("SELECT EXTRACT(YEAR FROM fact_games.x) FROM t", "t") == (
        "SELECT EXTRACT(YEAR FROM fact_games.x) FROM curated.t"
    )
    assert _of("SELECT 'it''s' || a-b\nFROM dim_tag") == (
        "SELECT 'it''s' || a-b\nFROM nessie.games.dim_tag AT BRANCH main"
    )


def test_a_name_made_in_the_view_hides_a_table() -> None:
    sql = "WITH dim_tag AS (SELECT 1 AS a), t AS (SELECT 2 AS b) SELECT * FROM dim_tag JOIN t"

    assert _of(sql, "t") == sql


def test_names_of_ours_need_no_quotes() -> None:
    ours = {dremio_text.NESSIE, dremio_text.RAW, dremio_text.SPACE, "games", "main", *WANTED}
    columns = {column.name for table in TABLES.values() for column in table.columns}

    assert not {name.upper() for name in ours | columns} & RESERVED


def test_the_rules_refuse_what_dremio_refuses() -> None:
    refused = {
        "SELECT a FROM nessie.games.t": "must be specified using AT SQL syntax",
        "SELECT a FROM nessie.games.t AT BRANCH main JOIN nessie.games.u ON TRUE": "games.u must",
        "SELECT a FROM x, nessie.games.t": "must be specified",
        "SELECT a FROM nessie.games.t AT BRANCH other": "not found",
        "SELECT a FROM nessie.games.t AT": "must be specified",
    }
    for sql, message in refused.items():
        with pytest.raises(SqlRefusedError, match=message):
            without_versions(sql, view=True)
    assert without_versions("SELECT a FROM nessie.games.t", view=False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT year FROM t",
        "SELECT 1 AS value",
        "SELECT t.rank FROM t",
        "SELECT a FROM result",
        "SELECT a FROM t AS start",
        "SELECT FROM WHERE",
        "",
    ],
)
def test_reserved_words_want_quotes(sql: str) -> None:
    with pytest.raises(SqlRefusedError, match="Failure parsing"):
        check_identifiers(sql)


def test_quoted_reserved_words_pass() -> None:
    check_identifiers('SELECT "year", t."rank" AS "value" FROM t')


def test_every_view_and_table_is_documented() -> None:
    for view in WANTED.values():
        assert view.wiki.endswith(WIKI_MARK)
        assert view.wiki.startswith(f"# {view.name}\n")
        assert view.tags[0] == "gamelake"
        assert len(view.wiki) < 100_000
    for name, table in TABLES.items():
        assert all(f"| `{column.name}` |" in WANTED[name].wiki for column in table.columns)
    for view in load_views():
        assert all(text in WANTED[view.name].wiki for text in view.header.values())
