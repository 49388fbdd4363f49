"""A branch writer takes only rows that fit, and writes one snapshot a run."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from star_rows import append, genres, star_rows, star_table

from etl import iceberg_files
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_files import Target
from etl.iceberg_schemas import TABLES
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils.errors import GamelakeError


@pytest.fixture
def catalog(tmp_path: Path):
    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    catalog.create_branch("b")
    yield catalog
    catalog.close()


@pytest.fixture
def writer(catalog: EmbeddedCatalog) -> BranchWriter:
    return BranchWriter(catalog, "b")


def stored(catalog: EmbeddedCatalog, name: str) -> pa.Table:
    """Read a table the way any reader does: its parquet files, as they are."""
    files = catalog.pin("b").tables[name].data_files
    return pa.concat_tables([pq.ParquetFile(file.path).read() for file in files])


def snapshots(catalog: EmbeddedCatalog, name: str) -> list[str]:
    table = catalog.branch_tables("b").load_table(("games", name))
    return [s.summary.additional_properties["gamelake.run-id"] for s in table.snapshots()]


@pytest.mark.parametrize("name", TABLES)
def test_rows_of_every_table_come_back_as_written(
    writer: BranchWriter, catalog: EmbeddedCatalog, name: str
) -> None:
    rows = star_table(name, [{}, {}])

    result = writer.replace(name, rows.to_reader(), run_id="r")

    assert stored(catalog, name).equals(rows)
    assert (result.rows, result.files) == (2, 1)
    assert catalog.pin("b").tables[name].rows == 2


@pytest.mark.parametrize("name", TABLES)
def test_duckdb_writes_the_same_rows_itself(
    writer: BranchWriter, catalog: EmbeddedCatalog, name: str
) -> None:
    rows = star_table(name, [{}, {}])
    optional = {c.name: None for c in TABLES[name].columns if not c.required}
    rows = pa.concat_tables([rows, star_table(name, [optional])])
    with duckdb.connect(config={"threads": 1}) as connection:  # in the order of arrival
        connection.register("arriving", rows)

        writer.replace_by(
            name,
            lambda target: connection.execute(target.copy_statement("FROM arriving")),
            run_id="r",
        )

    assert stored(catalog, name).cast(rows.schema).equals(rows)
    table = catalog.branch_tables("b").load_table(("games", name))
    assert table.scan().to_arrow().num_rows == 3
    assert catalog.pin("b").tables[name].rows == 3


def test_replace_drops_what_was_there_in_one_snapshot(
    writer: BranchWriter, catalog: EmbeddedCatalog
) -> None:
    writer.replace("dim_genre", genres(1, 2), run_id="r1")
    writer.replace("dim_genre", genres(3), run_id="r2")

    assert stored(catalog, "dim_genre")["genre_key"].to_pylist() == [3]
    assert snapshots(catalog, "dim_genre") == ["r1", "r2"]


def test_append_keeps_what_was_there(writer: BranchWriter, catalog: EmbeddedCatalog) -> None:
    append(writer, "dim_genre", genres(1, 2), run_id="r1")

    result = append(writer, "dim_genre", genres(3), run_id="r2")

    assert (result.rows, result.files) == (3, 2)
    assert sorted(stored(catalog, "dim_genre")["genre_key"].to_pylist()) == [1, 2, 3]
    assert snapshots(catalog, "dim_genre") == ["r1", "r2"]


@pytest.mark.parametrize("way", [BranchWriter.replace, append])
def test_the_thousandth_publish_costs_no_more_than_the_tenth(
    writer: BranchWriter, catalog: EmbeddedCatalog, way: Callable[..., object]
) -> None:
    sizes = []
    for number in range(25):
        way(writer, "dim_genre", genres(number), run_id=f"r{number}")
        table = catalog.branch_tables("b").load_table(("games", "dim_genre"))
        manifests = table.current_snapshot().manifests(table.io)
        sizes.append((len(table.metadata.snapshots), 0 if way is append else len(manifests)))

    assert sizes[-1] == sizes[10]
    assert len(table.metadata.metadata_log) <= 10
    assert snapshots(catalog, "dim_genre") == [f"r{number}" for number in range(20, 25)]
    rows = stored(catalog, "dim_genre")["genre_key"].to_pylist()
    assert sorted(rows) == (list(range(25)) if way is append else [24])


def test_the_same_run_writes_a_table_once(writer: BranchWriter, catalog: EmbeddedCatalog) -> None:
    first = writer.replace("dim_genre", genres(1), run_id="r")

    again = writer.replace("dim_genre", genres(2), run_id="r")

    assert again == first
    assert stored(catalog, "dim_genre")["genre_key"].to_pylist() == [1]
    assert snapshots(catalog, "dim_genre") == ["r"]


def test_a_table_may_become_empty(writer: BranchWriter, catalog: EmbeddedCatalog) -> None:
    writer.replace("dim_genre", genres(1), run_id="r1")

    result = writer.replace("dim_genre", genres(), run_id="r2")

    assert (result.rows, result.files) == (0, 0)
    assert catalog.pin("b").tables["dim_genre"].data_files == ()
    assert catalog.pin("b").tables["dim_genre"].schema.names[0] == "genre_key"


def test_an_engine_may_write_no_row(writer: BranchWriter, catalog: EmbeddedCatalog) -> None:
    with duckdb.connect() as connection:
        connection.register("arriving", star_table("dim_genre", []))
        result = writer.replace_by(
            "dim_genre",
            lambda target: connection.execute(target.copy_statement("FROM arriving")),
            run_id="r",
        )

    assert (result.rows, catalog.pin("b").tables["dim_genre"].data_files) == (0, ())


def test_null_in_a_required_column_is_refused_and_nothing_is_written(
    writer: BranchWriter, catalog: EmbeddedCatalog
) -> None:
    rows = star_table("bridge_game_genre", [{}]).cast(
        pa.schema([("game_id", pa.int64()), ("genre_key", pa.int64())])
    )
    holed = rows.set_column(1, "genre_key", pa.array([None], pa.int64()))

    with pytest.raises(GamelakeError, match="genre_key is NULL"):
        writer.replace("bridge_game_genre", holed.to_reader(), run_id="r")

    assert snapshots(catalog, "bridge_game_genre") == []


def test_null_in_a_required_column_of_an_engines_file_is_refused(writer: BranchWriter) -> None:
    with (
        duckdb.connect() as connection,
        pytest.raises(GamelakeError, match="genre_key is NULL"),
    ):
        writer.replace_by(
            "bridge_game_genre",
            lambda target: connection.execute(
                target.copy_statement("SELECT 1::BIGINT game_id, NULL::BIGINT genre_key")
            ),
            run_id="r",
        )


@pytest.mark.parametrize(
    "select",
    [
        "SELECT 1::BIGINT AS game_id, 2::INTEGER AS genre_key",
        "SELECT 2::BIGINT AS genre_key, 1::BIGINT AS game_id",
        "SELECT 1::BIGINT AS game_id, 2::BIGINT AS genre_key, 3 AS more",
    ],
)
def test_an_engines_file_of_another_shape_is_refused(writer: BranchWriter, select: str) -> None:
    with (
        duckdb.connect() as connection,
        pytest.raises(GamelakeError, match="bridge_game_genre cannot take"),
    ):
        writer.replace_by(
            "bridge_game_genre",
            lambda target: connection.execute(target.copy_statement(select)),
            run_id="r",
        )


def test_an_engines_file_without_field_ids_is_refused(writer: BranchWriter) -> None:
    def write(target: Target) -> None:
        with duckdb.connect() as connection:
            select = "SELECT 1::BIGINT AS game_id, 2::BIGINT AS genre_key"
            connection.execute(f"COPY ({select}) TO '{target.path}/f.parquet' (FORMAT parquet)")

    with pytest.raises(GamelakeError, match="bridge_game_genre cannot take"):
        writer.replace_by("bridge_game_genre", write, run_id="r")


@pytest.mark.parametrize("names", [["game_id"], ["game_id", "genre_key", "more"]])
def test_a_stream_with_missing_or_unknown_columns_is_refused(
    writer: BranchWriter, names: list[str]
) -> None:
    rows = pa.table({name: pa.array([1], pa.int64()) for name in names})

    with pytest.raises(GamelakeError, match="missing or unknown"):
        writer.replace("bridge_game_genre", rows.to_reader(), run_id="r")


def test_columns_in_any_order_and_castable_types_are_taken(
    writer: BranchWriter, catalog: EmbeddedCatalog
) -> None:
    rows = pa.table({"genre_key": pa.array([2], pa.int32()), "game_id": pa.array([1], pa.int16())})

    writer.replace("bridge_game_genre", rows.to_reader(), run_id="r")

    assert stored(catalog, "bridge_game_genre").to_pylist() == [{"game_id": 1, "genre_key": 2}]


def test_large_streams_roll_over_to_more_files(
    writer: BranchWriter, catalog: EmbeddedCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iceberg_files, "ROW_GROUP_ROWS", 10)
    monkeypatch.setattr(iceberg_files, "TARGET_FILE_BYTES", 1500)
    rows = star_table("dim_genre", [{"genre_key": key} for key in range(95)])

    result = writer.replace("dim_genre", rows.to_reader(max_chunksize=3), run_id="r")

    assert result.files > 2
    assert result.rows == 95
    assert sorted(stored(catalog, "dim_genre")["genre_key"].to_pylist()) == list(range(95))
    per_group = [
        pq.read_metadata(file.path).row_group(0).num_rows
        for file in catalog.pin("b").tables["dim_genre"].data_files
    ]
    assert max(per_group) == 10


def test_a_stream_is_never_held_whole(
    writer: BranchWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iceberg_files, "ROW_GROUP_ROWS", 1000)
    before, peak = pa.total_allocated_bytes(), 0

    def batches():
        nonlocal peak
        for start in range(0, 400_000, 1000):
            keys = pa.array(range(start, start + 1000), pa.int64())
            yield pa.record_batch([keys, keys], schema=TABLES["bridge_game_tag"].arrow())
            peak = max(peak, pa.total_allocated_bytes() - before)

    reader = pa.RecordBatchReader.from_batches(TABLES["bridge_game_tag"].arrow(), batches())
    writer.replace("bridge_game_tag", reader, run_id="r")

    assert peak < 2_000_000  # the whole stream is 6.4 MB


@settings(max_examples=25, deadline=None)
@given(chunks=st.lists(st.integers(0, 7), max_size=8))
def test_row_groups_lose_and_reorder_nothing(chunks: list[int]) -> None:
    table = star_table("dim_genre", [{"genre_key": key} for key in range(sum(chunks))])
    batches, start = [], 0
    for size in chunks:
        batches += table.slice(start, size).to_batches()
        start += size

    groups = list(iceberg_files._row_groups(iter(batches)))

    joined = [key for group in groups for key in group["genre_key"].to_pylist()]
    assert joined == list(range(sum(chunks)))
    assert all(group.num_rows for group in groups)


def test_an_unknown_table_is_a_defect(writer: BranchWriter) -> None:
    with pytest.raises(KeyError):
        writer.replace("no_such_table", star_rows("dim_genre", []), run_id="r")
