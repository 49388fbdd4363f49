"""One behaviour suite for every engine of a build: DuckDB, and Spark."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.engine import BuildEngine
from etl.engine_contract import Engine
from etl.expressions import strict_date, strict_timestamp
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_record import RUN_PROPERTY
from etl.iceberg_schemas import TABLES
from etl.iceberg_writer import BranchWriter
from etl.spark_engine import open_spark
from etl.spark_files import spark_uri
from etl.spark_settings import SparkSettings
from storage.layout import LakePaths
from utils.errors import Damaged, ServiceDown, UsageError

SPARK = [
    pytest.mark.spark,
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # PySpark's
]
NUMBERS = pa.schema([("number", pa.int64())])
TEXTS = pa.schema([("text", pa.string())])


@dataclass(frozen=True)
class Lab:
    """Opens an engine, and says where it finds a file."""

    open: Callable[[], AbstractContextManager[Engine]]
    address: Callable[[str], str]


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=SPARK)])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Lab:
    if request.param == "duckdb":
        return Lab(lambda: BuildEngine(tmp_path / "tmp"), str)
    request.getfixturevalue("spark")
    return Lab(lambda: open_spark(SparkSettings(), "etl-1", tmp_path / "tmp"), spark_uri)


@pytest.fixture
def engine(lab: Lab) -> Iterator[Engine]:
    with lab.open() as opened:
        yield opened


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[EmbeddedCatalog]:
    with closing(EmbeddedCatalog(LakePaths(tmp_path / "lake"))) as opened:
        opened.create_branch("etl-1")
        yield opened


def file(lab: Lab, path: Path, *numbers: int) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"number": numbers}, schema=NUMBERS), path)
    return lab.address(str(path))


def test_a_position_tells_the_place_of_the_part_and_of_the_row(
    lab: Lab, engine: Engine, tmp_path: Path
) -> None:
    uris = [file(lab, tmp_path / "b.parquet", 7, 8), file(lab, tmp_path / "a.parquet", 9)]

    rows = engine.rows(engine.raw("raw_numbers", uris, NUMBERS, first=5))

    positions = {row["number"]: row["_position"] for row in rows}
    assert positions == {7: 5 << 32, 8: (5 << 32) + 1, 9: 6 << 32}


@pytest.mark.parametrize("folder", ["o'brien", "run=1", "a b%20c", "[x]*{y}", "ü+&#"])
def test_a_path_is_only_a_path(lab: Lab, engine: Engine, tmp_path: Path, folder: str) -> None:
    odd = file(lab, tmp_path / folder / "part.parquet", 1)

    assert engine.rows(engine.parquet("numbers", [odd], NUMBERS)) == [{"number": 1}]
    raw = engine.raw("raw_numbers", [odd], NUMBERS, first=0)
    assert engine.rows(raw) == [{"number": 1, "_position": 0}]


def test_without_files_there_are_no_rows(engine: Engine) -> None:
    assert engine.count(engine.raw("raw_numbers", [], NUMBERS, first=0)) == 0
    assert engine.count(engine.parquet("numbers", [], NUMBERS)) == 0


def test_what_is_kept_is_read_by_its_name_until_it_is_dropped(
    lab: Lab, engine: Engine, tmp_path: Path
) -> None:
    numbers = engine.parquet("numbers", [file(lab, tmp_path / "n.parquet", 1, 2, 3)], NUMBERS)

    kept = engine.keep("kept", numbers.filter(numbers["number"] > 1))
    assert engine.count(kept) == 2
    assert engine.rows(kept.aggregate(total=kept["number"].sum())) == [{"total": 5}]
    engine.drop("kept")
    again = engine.keep("kept", numbers)
    assert engine.count(again) == 3


def test_a_lost_file_is_told_with_the_repair(lab: Lab, tmp_path: Path) -> None:
    uri = file(lab, tmp_path / "n.parquet", 1, 2, 3)

    with pytest.raises(ServiceDown) as error:
        read_damaged(lab, uri, tmp_path / "n.parquet")

    assert "gamelake verify" in error.value.hint


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ('Could not write file "x": No space left on device', ServiceDown),
        ('Cannot open file "x": Permission denied', ServiceDown),
        ('No files found that match the pattern "x"', Damaged),
    ],
)
def test_what_the_system_refuses_is_not_called_damaged(
    tmp_path: Path, reason: str, kind: type[ServiceDown]
) -> None:
    told = pytest.raises(ServiceDown, match="cannot be read or written")
    with told as caught, BuildEngine(tmp_path):
        raise duckdb.IOException(reason)

    assert type(caught.value) is kind


def read_damaged(lab: Lab, uri: str, path: Path) -> None:
    with lab.open() as engine:
        numbers = engine.parquet("numbers", [uri], NUMBERS)
        path.write_bytes(b"PAR1 this is not parquet PAR1")
        engine.rows(numbers)


def test_a_table_is_written_in_order_and_once_a_run(
    lab: Lab, engine: Engine, catalog: EmbeddedCatalog, tmp_path: Path
) -> None:
    numbers = engine.parquet("n", [file(lab, tmp_path / "n.parquet", 3, 1, 2)], NUMBERS)
    genres = numbers.select(
        genre_key=numbers["number"],
        genre_id=numbers["number"].nullif(1),
        genre_name=numbers["number"].cast("string"),
        genre_slug=ibis.null("string"),
    )
    writer = BranchWriter(catalog, "etl-1")

    engine.write(writer, "dim_genre", genres, run_id="r1")
    first = catalog.pin("etl-1").tables["dim_genre"]
    engine.write(writer, "dim_genre", genres.limit(0), run_id="r1")
    engine.write(writer, "dim_tag", no_tags(genres), run_id="r1")

    now = catalog.pin("etl-1").tables
    assert now["dim_genre"].snapshot_id == first.snapshot_id
    assert first.properties[RUN_PROPERTY] == "r1"
    assert (now["dim_tag"].rows, now["dim_tag"].data_files) == (0, ())
    schema = TABLES["dim_genre"].arrow()
    rows = catalog.files.dataset([f.path for f in first.data_files], schema).to_table()
    assert rows.to_pydict() == {
        "genre_key": [1, 2, 3],
        "genre_id": [None, 2, 3],
        "genre_name": ["1", "2", "3"],
        "genre_slug": [None] * 3,
    }


def no_tags(genres: ibis.Table) -> ibis.Table:
    columns = {"tag_key": "genre_key", "tag_id": "genre_id", "tag_name": "genre_name"}
    tags = genres.filter(genres["genre_key"] < 0).rename(tag_slug="genre_slug", **columns)
    return tags.mutate(language_code=ibis.null("string"))


DAYS = {
    "2020-02-29": dt.date(2020, 2, 29),
    "0001-01-01": dt.date(1, 1, 1),
    "9999-12-31": dt.date(9999, 12, 31),
    "1582-10-10": dt.date(1582, 10, 10),  # a day that the old calendar left out
    **dict.fromkeys(
        ["2021-02-29", "2020-13-01", "2020-1-1", "0000-01-01", "20200101", "-2020-01-01", ""]
    ),
    **dict.fromkeys(
        [
            "2020-01-01\n",
            " 2020-01-01",
            "2020-01-01T00:00:00",
            "\u0662\u0660\u0662\u0660-\u0660\u0661-\u0660\u0661",
            "2020-01",
        ]
    ),
}


def test_engines_read_the_same_days(lab: Lab, engine: Engine, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [*DAYS, None]}, schema=TEXTS), tmp_path / "t.parquet")
    texts = engine.parquet("texts", [lab.address(str(tmp_path / "t.parquet"))], TEXTS)

    rows = engine.rows(texts.select("text", day=strict_date(texts["text"])))

    assert {row["text"]: row["day"] for row in rows} == {**DAYS, None: None}


MOMENTS = {
    "2020-02-29T23:59:59": dt.datetime(2020, 2, 29, 23, 59, 59),  # noqa: DTZ001 - UTC, no zone
    "1890-01-01T00:00:01": dt.datetime(1890, 1, 1, 0, 0, 1),  # noqa: DTZ001
    "2020-03-29T02:30:00": dt.datetime(2020, 3, 29, 2, 30),  # noqa: DTZ001 - skipped in Berlin
    **dict.fromkeys(["2020-02-30T00:00:00", "2020-01-01T23:59:60", "2020-01-01T00:00:00Z"]),
    **dict.fromkeys(["2020-01-01 00:00:00", "2020-01-01T00:00:00\n", "2020-01-01", "T", ""]),
}


def test_engines_read_the_same_moments(lab: Lab, engine: Engine, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [*MOMENTS, None]}, schema=TEXTS), tmp_path / "t.parquet")
    texts = engine.parquet("texts", [lab.address(str(tmp_path / "t.parquet"))], TEXTS)

    rows = engine.rows(texts.select("text", moment=strict_timestamp(texts["text"])))

    assert {row["text"]: row["moment"] for row in rows} == {**MOMENTS, None: None}


def test_too_little_memory_names_the_setting(tmp_path: Path) -> None:
    pq.write_table(pa.table({"number": range(1_000_000)}, schema=NUMBERS), tmp_path / "n.parquet")

    with (
        pytest.raises(UsageError, match="more memory") as refused,
        BuildEngine(tmp_path / "tmp", memory_mb=402) as engine,
    ):
        engine.keep("kept", engine.parquet("n", [str(tmp_path / "n.parquet")], NUMBERS))

    assert refused.value.subject == "GAMELAKE_MEMORY_MB"


def test_what_does_not_fit_in_memory_is_spilled_and_cleared_away(tmp_path: Path) -> None:
    """DuckDB alone: Spark's workers are not ours."""
    rows = 3_000_000
    junk = tmp_path / "tmp" / "duckdb" / "left by a killed run"
    junk.mkdir(parents=True)
    pq.write_table(pa.table({"number": range(rows)}, schema=NUMBERS), tmp_path / "n.parquet")

    with BuildEngine(tmp_path / "tmp", memory_mb=440) as engine:
        table = engine.parquet("numbers", [str(tmp_path / "n.parquet")], NUMBERS)
        kept = engine.keep("kept", table.mutate(twice=table["number"] * 2 % 1_000_003))
        assert engine.count(kept) == rows
        spilled = [*junk.parent.iterdir()]

    assert spilled
    assert not junk.exists()
    assert [*junk.parent.iterdir()] == []
