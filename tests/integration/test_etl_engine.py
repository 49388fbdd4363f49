"""The build's DuckDB session: bounded memory, and parts found in whatever folder they lie."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from etl.engine import BuildEngine

NUMBERS = pa.schema([("number", pa.int64())])


def _file(path: Path, *numbers: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"number": numbers}, schema=NUMBERS), path)
    return str(path)


def test_a_position_tells_the_place_of_the_part_and_of_the_row(tmp_path: Path) -> None:
    uris = [_file(tmp_path / "b.parquet", 7, 8), _file(tmp_path / "a.parquet", 9)]

    with BuildEngine(tmp_path / "tmp") as engine:
        rows = engine.rows(engine.raw("raw_numbers", uris, NUMBERS, first=5))

    positions = {row["number"]: row["_position"] for row in rows}
    assert positions == {7: 5 << 32, 8: (5 << 32) + 1, 9: 6 << 32}


def test_a_path_is_only_a_path(tmp_path: Path) -> None:
    odd = _file(tmp_path / "o'brien" / "run=1" / "part.parquet", 1)

    with BuildEngine(tmp_path / "tmp") as engine:
        assert engine.rows(engine.parquet("numbers", [odd], NUMBERS)) == [{"number": 1}]


def test_without_files_there_are_no_rows(tmp_path: Path) -> None:
    with BuildEngine(tmp_path / "tmp") as engine:
        assert engine.count(engine.raw("raw_numbers", [], NUMBERS, first=0)) == 0


def test_what_does_not_fit_in_memory_is_spilled_and_cleared_away(tmp_path: Path) -> None:
    rows = 3_000_000
    junk = tmp_path / "tmp" / "duckdb" / "left by a killed run"
    junk.mkdir(parents=True)
    numbers = _file(tmp_path / "n.parquet", *range(rows))

    with BuildEngine(tmp_path / "tmp", memory_limit="40MB") as engine:
        table = engine.parquet("numbers", [numbers], NUMBERS)
        kept = engine.keep("kept", table.mutate(twice=table["number"] * 2 % 1_000_003))
        spilled = [*junk.parent.iterdir()]
        assert engine.count(kept) == rows

    assert spilled
    assert not junk.exists()
    assert [*junk.parent.iterdir()] == []
