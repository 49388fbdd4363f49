"""Answers as table, CSV, JSON and parquet."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from literal_star import game, pin

from serving.engine import QueryEngine
from serving.output import Format, write
from serving.table import MAX_ROWS, render
from utils.errors import UsageError

ROW = """SELECT 1 AS n, DATE '2020-02-29' AS d, TIMESTAMP '2020-02-29 12:30:00' AS t,
  12.50::DECIMAL(10, 2) AS m, sum(9223372036854775807::BIGINT) AS big, 'NaN'::DOUBLE AS nan,
  NULL AS nothing, 'a "b", Ж' AS s, [1, 2] AS l, {'k': DATE '2020-01-01'} AS r, true AS b"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[QueryEngine]:
    with QueryEngine(pin(tmp_path, fact_games=[game(i) for i in range(1, 151)])) as opened:
        yield opened


def _written(engine: QueryEngine, sql: str, fmt: Format) -> tuple[str, str]:
    out, notes = io.BytesIO(), io.StringIO()
    write(engine.sql(sql), fmt, out=out, notes=notes)
    return out.getvalue().decode(), notes.getvalue()


def test_json_is_an_array_of_row_objects(engine: QueryEngine) -> None:
    text, notes = _written(engine, ROW, "json")

    assert json.loads(text) == [
        {
            "n": 1,
            "d": "2020-02-29",
            "t": "2020-02-29T12:30:00",
            "m": 12.5,
            "big": 9223372036854775807,
            "nan": None,
            "nothing": None,
            "s": 'a "b", Ж',
            "l": [1, 2],
            "r": {"k": "2020-01-01"},
            "b": True,
        }
    ]
    assert notes == ""


def test_json_keeps_every_digit(engine: QueryEngine) -> None:
    text, _ = _written(
        engine, "SELECT sum(i) AS n FROM (VALUES (9223372036854775807), (1)) t(i)", "json"
    )

    assert '"n":9223372036854775808' in text


def test_json_of_no_rows_is_an_empty_array(engine: QueryEngine) -> None:
    assert json.loads(_written(engine, "SELECT 1 AS a WHERE false", "json")[0]) == []


def test_json_keeps_columns_of_one_name_apart(engine: QueryEngine) -> None:
    text, _ = _written(engine, "SELECT 1 AS a, 2 AS a, 3 AS a_1", "json")

    assert json.loads(text) == [{"a": 1, "a_1": 2, "a_1_1": 3}]


def test_csv_reads_back(engine: QueryEngine) -> None:
    text, _ = _written(engine, ROW, "csv")
    (row,) = csv.DictReader(io.StringIO(text))

    assert row["d"] == "2020-02-29"
    assert row["t"].startswith("2020-02-29T12:30:00")
    assert row["m"] == "12.50"
    assert row["nothing"] == ""
    assert row["s"] == 'a "b", Ж'
    assert (row["l"], row["r"]) == ("[1,2]", '{"k":"2020-01-01"}')


def test_csv_of_no_rows_has_its_header(engine: QueryEngine) -> None:
    assert _written(engine, "SELECT 1 AS a WHERE false", "csv")[0].strip() == '"a"'


def test_parquet_needs_a_file(engine: QueryEngine) -> None:
    with pytest.raises(UsageError, match="parquet") as caught:
        _written(engine, "SELECT 1", "parquet")

    assert "--output" in caught.value.hint


@pytest.mark.parametrize("fmt", ["csv", "json", "parquet", "table"])
def test_a_file_holds_the_answer_and_nothing_is_left_beside_it(
    engine: QueryEngine, tmp_path: Path, fmt: Format
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    notes = io.StringIO()
    result = engine.sql("SELECT game_id FROM fact_games ORDER BY game_id")
    rows = write(result, fmt, out=io.BytesIO(), notes=notes, output=folder / "answer")

    assert rows == 150
    assert [p.name for p in folder.iterdir()] == ["answer"]
    assert "150 rows" in notes.getvalue()
    if fmt == "parquet":
        assert pq.read_table(folder / "answer").column(0).to_pylist() == list(range(1, 151))


@pytest.mark.parametrize("fmt", ["csv", "json", "parquet"])
def test_repeated_column_names_are_told_apart(
    engine: QueryEngine, tmp_path: Path, fmt: Format
) -> None:
    target = tmp_path / "answer"
    result = engine.sql(
        "SELECT f.game_id, g.game_id FROM fact_games f JOIN fact_games g USING (game_id) LIMIT 1"
    )
    write(result, fmt, out=io.BytesIO(), notes=io.StringIO(), output=target)

    if fmt == "parquet":
        assert pq.read_schema(target).names == ["game_id", "game_id_1"]
    else:
        assert '"game_id_1"' in target.read_text()


def test_a_query_that_fails_leaves_the_old_file(engine: QueryEngine, tmp_path: Path) -> None:
    target = tmp_path / "answer.csv"
    target.write_text("old")
    wrong = engine.sql("SELECT CAST(name AS INTEGER) AS n FROM fact_games")
    with pytest.raises(UsageError):
        write(wrong, "csv", out=io.BytesIO(), notes=io.StringIO(), output=target)

    assert target.read_text() == "old"
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".partial")]


def test_a_folder_that_is_absent_is_a_usage_error(engine: QueryEngine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write(
            engine.sql("SELECT 1"),
            "csv",
            out=io.BytesIO(),
            notes=io.StringIO(),
            output=tmp_path / "no" / "x.csv",
        )


@pytest.mark.parametrize(
    ("sql", "fmt"),
    [
        ("SELECT DATE 'infinity' AS d", "json"),
        ("SELECT DATE '290000-01-01' AS d", "table"),
        ("SELECT INTERVAL 1 DAY AS i", "csv"),
    ],
)
def test_a_value_that_a_format_cannot_hold_is_a_usage_error(
    engine: QueryEngine, sql: str, fmt: Format
) -> None:
    out = io.BytesIO()
    with pytest.raises(UsageError, match="cannot be written") as caught:
        write(engine.sql(sql), fmt, out=out, notes=io.StringIO())

    assert "VARCHAR" in caught.value.hint
    if fmt == "json":
        assert out.getvalue() == b""


def test_a_long_table_is_cut_and_says_so(engine: QueryEngine) -> None:
    text, notes = _written(engine, "SELECT game_id FROM fact_games", "table")

    assert len(text.splitlines()) == MAX_ROWS + 2
    assert notes == "(first 100 of 150 rows; --format csv gives all)\n"


def test_a_short_table_says_how_many(engine: QueryEngine) -> None:
    assert _written(engine, "SELECT 1 AS n", "table")[1] == "(1 row)\n"


def test_cells_are_aligned_by_their_width_on_screen() -> None:
    lines = render(["name", "n"], [["日本", 5], ["ab", 12.25], [None, 7]])

    assert lines == ["name      n", "----  -----", "日本      5", "ab    12.25", "          7"]


def test_the_widest_columns_give_way_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "39")
    lines = render(["name", "note", "n"], [["x" * 30, "short", 5]])

    assert max(map(len, lines)) == 39
    assert lines[2] == "x" * 28 + "…  short  5"


def test_a_cell_cannot_steer_the_terminal() -> None:
    lines = render(["s"], [["\x1b[31mred\n\u202etxet"]])

    assert lines[2] == " [31mred  txet"


def test_a_plan_is_printed_as_it_is(engine: QueryEngine) -> None:
    text, _ = _written(engine, "EXPLAIN SELECT 1", "table")

    assert "Dummy Scan" in text
    assert "physical_plan" not in text
