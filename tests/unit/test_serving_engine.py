"""The query engine: what it shows, how it says no."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from literal_star import bridge, dimension, game, pin, seen

from etl.iceberg_catalog import Ref
from serving.engine import QueryEngine
from serving.lake import connect, resolve
from serving.view_files import View
from storage.layout import STAR
from utils.config import Settings
from utils.errors import Damaged, ServiceDown, UsageError


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[QueryEngine]:
    pinned = pin(
        tmp_path,
        fact_games=[game(1, name="Doom", rating=4.0, reviews_count=10), game(2, name="Myst")],
        fact_game_history=seen(),
        dim_genre=dimension("genre", "Action", "Puzzle"),
        bridge_game_genre=bridge("genre", {1: [1], 2: [1, 2]}),
    )
    with QueryEngine(pinned) as opened:
        yield opened


def test_tables_and_views_are_found_bare_and_by_schema(engine: QueryEngine) -> None:
    for name in ("fact_games", "games.fact_games", "games_clean", "curated.games_clean"):
        assert engine.sql(f"SELECT count(*) FROM {name}").fetchall() == [(2,)]


def test_every_table_of_the_star_answers_even_when_it_is_empty(engine: QueryEngine) -> None:
    for name in STAR:
        assert engine.sql(f"SELECT * FROM {name}").schema().names == engine.tables[name].names
    assert engine.sql("SELECT * FROM bridge_game_tag").fetchall() == []


def test_one_answer_comes_in_every_form(engine: QueryEngine) -> None:
    result = engine.sql("SELECT game_id, name FROM fact_games ORDER BY game_id")

    assert result.fetchall() == [(1, "Doom"), (2, "Myst")]
    assert result.arrow().equals(pa.table({"game_id": [1, 2], "name": ["Doom", "Myst"]}))
    assert result.df()["name"].tolist() == ["Doom", "Myst"]
    assert result.pl()["name"].to_list() == ["Doom", "Myst"]
    assert [b.num_rows for b in result.batches()] == [2]


def test_without_polars_the_command_to_install_it_is_told(
    engine: QueryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.result.find_spec", lambda _: None)

    with pytest.raises(UsageError, match="polars is not installed") as error:
        engine.sql("SELECT 1 AS one").pl()

    assert error.value.hint.endswith(" -m pip install 'polars>=1.35'")


def test_a_large_answer_streams_in_batches(engine: QueryEngine) -> None:
    stream = engine.sql("SELECT * FROM range(10_000_000_000)").batches(rows=1000)

    assert next(stream).num_rows == 1000
    stream.close()
    assert engine.sql("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SHOW TABLES",
        "DESCRIBE games_clean",
        "SUMMARIZE fact_games",
        "EXPLAIN SELECT * FROM top_games",
        "EXPLAIN ANALYZE SELECT 1",
        "FROM fact_games",
        "VALUES (1)",
        "WITH a AS (SELECT 1) FROM a",
        "SELECT 1; -- and that is all",
    ],
)
def test_reading_statements_are_answered(engine: QueryEngine, statement: str) -> None:
    assert engine.sql(statement).fetchall()


@pytest.mark.parametrize(
    ("statement", "hint"),
    [
        ("SELECT * FROM fact_game", "fact_games"),
        ("SELECT nam FROM fact_games", "name"),
        ("SELECT * FORM fact_games", ".help"),
        ("", "SELECT"),
        ("SELECT 1; SELECT 2", "SELECT"),
    ],
)
def test_a_wrong_statement_is_a_usage_error_with_a_hint(
    engine: QueryEngine, statement: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        engine.sql(statement)

    assert hint in caught.value.hint
    assert "pinned_" not in caught.value.message
    assert "did you mean" not in caught.value.message.lower()


@pytest.mark.parametrize("text", ["No such file", "AWS Error", "[errno 13]"])
def test_what_a_query_says_of_files_is_its_own(engine: QueryEngine, text: str) -> None:
    with pytest.raises(UsageError, match="convert"):
        engine.sql(f"SELECT CAST('{text}' AS INTEGER)").fetchall()


def test_an_error_while_running_is_a_usage_error_too(engine: QueryEngine) -> None:
    with pytest.raises(UsageError, match="Conversion"):
        engine.sql("SELECT CAST(name AS INTEGER) FROM fact_games").fetchall()


def test_a_slow_query_is_cut_and_the_engine_lives_on(engine: QueryEngine) -> None:
    slow = "SELECT count(*) FROM range(1_000_000_000_000) AS t(i) WHERE hash(i) % 7 = 1"
    with pytest.raises(UsageError, match=r"0\.3 s"):
        engine.sql(slow, timeout=0.3).fetchall()

    assert engine.sql("SELECT 42").fetchall() == [(42,)]


def test_a_memory_bomb_is_refused_without_a_spill_file(tmp_path: Path) -> None:
    with QueryEngine(pin(tmp_path), memory_limit="50MB") as engine:
        bomb = "SELECT md5(i::VARCHAR) AS m FROM range(9000000) AS t(i) ORDER BY m"
        with pytest.raises(UsageError, match="Out of Memory"):
            engine.sql(f"SELECT count(*) FROM ({bomb})").fetchall()

    assert list(tmp_path.iterdir()) == []


def test_variables_of_the_caller_are_not_tables(engine: QueryEngine) -> None:
    secret = pa.table({"key": ["hidden"]})
    with pytest.raises(UsageError, match="secret"):
        engine.sql("SELECT * FROM secret")
    assert secret.num_rows == 1


def test_a_missing_data_file_is_no_usage_error(tmp_path: Path) -> None:
    pinned = pin(tmp_path, fact_games=[game(1)])
    (tmp_path / "fact_games.parquet").unlink()

    with pytest.raises(Damaged, match="fact_games") as caught:
        QueryEngine(pinned)

    assert caught.value.exit_code == 7
    assert "verify" in caught.value.hint


def test_a_data_file_that_vanishes_later_is_no_usage_error(tmp_path: Path) -> None:
    with QueryEngine(pin(tmp_path, fact_games=[game(1)])) as engine:
        (tmp_path / "fact_games.parquet").unlink()
        with pytest.raises(Damaged) as caught:
            engine.sql("SELECT * FROM fact_games").fetchall()

    assert caught.value.exit_code == 7
    assert "verify" in caught.value.hint


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_cut_data_file_is_no_usage_error(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "fact_games.parquet"
    with QueryEngine(pin(tmp_path, fact_games=[game(1)])) as engine:
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * kept)])
        with pytest.raises(Damaged, match="a file of fact_games cannot be read: ") as caught:
            engine.sql("SELECT name FROM fact_games").fetchall()

    assert "verify" in caught.value.hint


def test_a_garbled_data_file_is_no_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "fact_games.parquet"
    with QueryEngine(pin(tmp_path, fact_games=[game(1)])) as engine:
        whole = path.read_bytes()
        path.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
        with pytest.raises(Damaged, match="a file of fact_games cannot be read: "):
            engine.sql("SELECT * FROM fact_games").fetchall()


def test_a_data_file_that_the_system_refuses_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "fact_games.parquet"
    with QueryEngine(pin(tmp_path, fact_games=[game(1)])) as engine:
        path.unlink()
        path.symlink_to(path)  # ELOOP: refused also to root, whom no right stops
        with pytest.raises(ServiceDown, match="errno") as caught:
            engine.sql("SELECT * FROM fact_games").fetchall()

    assert not isinstance(caught.value, Damaged)


def test_show_tables_shows_no_view_of_ours(engine: QueryEngine) -> None:
    for text in ("show tables", "SHOW TABLES;"):
        shown = [name for (name,) in engine.sql(text).fetchall()]
        assert sorted(shown) == sorted([*engine.tables, *engine.views])


@pytest.mark.parametrize(
    ("statement", "hint"),
    [
        ("SELECT * FROM nope", ".tables"),
        ("SELECT * FROM fact_gams", "did you mean fact_games?"),
        ("SELECT * FROM genre_sumary", "did you mean genre_summary?"),
        ("SELECT nam FROM fact_games", "did you mean name"),
        ("SELECT upperr(name) FROM fact_games", "did you mean upper?"),
    ],
)
def test_only_what_is_there_is_suggested(engine: QueryEngine, statement: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        engine.sql(statement)

    assert hint in caught.value.hint
    assert "Did you mean" not in caught.value.message


def test_dates_follow_the_load_and_not_the_clock(tmp_path: Path) -> None:
    loaded = dt.datetime(2001, 1, 1)  # noqa: DTZ001 - the star's timestamps carry no zone
    pinned = pin(
        tmp_path,
        fact_games=[game(1, released_on=dt.date(2002, 1, 2), source_updated_at=loaded)],
        fact_game_history=seen(loaded),
    )
    with QueryEngine(pinned) as engine:
        assert engine.sql("SELECT is_released FROM games_clean").fetchall() == [(False,)]


def test_a_commit_without_a_column_lacks_only_the_views_that_read_it(tmp_path: Path) -> None:
    pinned = pin(tmp_path)
    games = pinned.tables["fact_games"]
    fields = [field for field in games.schema if field.name != "playtime_hours"]
    pinned.tables["fact_games"] = replace(games, schema=pa.schema(fields))

    with QueryEngine(pinned) as engine:
        assert engine.sql("SELECT count(*) FROM fact_games").fetchall() == [(0,)]
        assert "games_clean" not in engine.views
        assert "load_date" in engine.views


def test_a_view_that_the_present_tables_cannot_answer_is_a_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = View("wrong", "SELECT no_such_column FROM fact_games")
    monkeypatch.setattr("serving.engine.load_views", lambda: [wrong])

    with pytest.raises(duckdb.BinderException):
        QueryEngine(pin(tmp_path))


def _references(*names: str) -> dict[str, Ref]:
    return {name: Ref(name, "tag", "h") for name in names}


def test_at_takes_a_run_a_tag_or_a_branch() -> None:
    known = _references("main", "run-20261121t01", "etl-7")

    assert resolve(None, known) == "main"
    assert resolve("20261121t01", known) == "run-20261121t01"
    assert resolve("run-20261121t01", known) == "run-20261121t01"
    assert resolve("etl-7", known) == "etl-7"


def test_an_unknown_reference_names_near_ones() -> None:
    with pytest.raises(UsageError) as caught:
        resolve("20261121t02", _references("main", "run-20261121t01"))

    assert "run-20261121t01" in caught.value.hint


def test_reading_where_there_is_no_lake_creates_nothing(tmp_path: Path) -> None:
    settings = Settings(gamelake_home=tmp_path / "none")
    with pytest.raises(UsageError, match="there is no lake"):
        connect(settings)

    assert list(tmp_path.iterdir()) == []
