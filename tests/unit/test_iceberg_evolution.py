"""A table of an earlier version takes the columns that this one declares, or says why not."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_evolution import declared_shape
from etl.iceberg_schemas import INT, LONG, STRING, TABLES, Column, StarTable
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils.errors import UsageError

OLD = TABLES["bridge_game_genre"]
RANK = Column("rank", INT, "Place of the genre.")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[EmbeddedCatalog]:
    with closing(EmbeddedCatalog(LakePaths(tmp_path))) as catalog:
        catalog.create_branch("b")
        yield catalog


def declare(monkeypatch: pytest.MonkeyPatch, *columns: Column) -> StarTable:
    table = replace(OLD, columns=columns)
    monkeypatch.setitem(TABLES, OLD.name, table)
    return table


def write(catalog: EmbeddedCatalog, run: str, by: str = "stream") -> None:
    """Write one row, all columns 1, as the table is declared now."""
    table = TABLES[OLD.name]
    row = pa.table({c.name: pa.array([1], LONG).cast(c.type) for c in table.columns})
    writer = BranchWriter(catalog, "b")
    if by == "stream":
        writer.replace(table.name, row.to_reader(), run_id=run)
        return
    with duckdb.connect() as connection:
        connection.register("arriving", row)
        writer.replace_by(
            table.name,
            lambda target: connection.execute(target.copy_statement("FROM arriving")),
            run_id=run,
        )


def rows(catalog: EmbeddedCatalog, ref: str = "b") -> list[dict[str, object]]:
    """Return what pyiceberg reads, which goes by field ids and not by names."""
    metadata = catalog.pin(ref).tables[OLD.name].metadata_location
    tables = catalog.branch_tables("b")
    found = tables.register_table(("games", f"copy_{ref.replace('-', '_')}"), metadata)
    return list(found.scan().to_arrow().to_pylist())


@pytest.mark.parametrize("by", ["stream", "engine"])
def test_a_new_column_anywhere_is_added_and_earlier_runs_stay_as_they_were(
    catalog: EmbeddedCatalog, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    write(catalog, "r1", by)
    catalog.tag("run-r1", "b")
    declare(monkeypatch, OLD.columns[0], RANK, OLD.columns[1])

    write(catalog, "r2", by)
    write(catalog, "r3", by)

    assert rows(catalog, "run-r1") == [{"game_id": 1, "genre_key": 1}]
    assert rows(catalog) == [{"game_id": 1, "genre_key": 1, "rank": 1}]
    table = catalog.branch_tables("b").load_table(("games", OLD.name))
    assert len(table.metadata.schemas) == 2
    files = [file.path for file in catalog.pin("b").tables[OLD.name].data_files]
    assert pq.read_schema(files[0]).names == ["game_id", "rank", "genre_key"]


def test_a_type_becomes_wider_and_a_column_optional(
    catalog: EmbeddedCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, *OLD.columns, replace(RANK, required=True))
    write(catalog, "r1")
    declare(monkeypatch, *OLD.columns, replace(RANK, type=LONG))

    write(catalog, "r2")

    field = catalog.branch_tables("b").load_table(("games", OLD.name)).schema().find_field("rank")
    assert (str(field.field_type), field.required) == ("long", False)
    assert rows(catalog) == [{"game_id": 1, "genre_key": 1, "rank": 1}]


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ((), "it has a column rank"),
        ((replace(RANK, type=STRING),), "rank is long, not string"),
        ((replace(RANK, type=INT),), "rank is long, not int"),
        ((replace(RANK, type=LONG), Column("more", LONG, "", required=True)), "lacks more"),
    ],
)
def test_what_cannot_be_done_in_place_is_refused_with_what_to_do(
    catalog: EmbeddedCatalog,
    monkeypatch: pytest.MonkeyPatch,
    now: tuple[Column, ...],
    told: str,
) -> None:
    declare(monkeypatch, *OLD.columns, replace(RANK, type=LONG))
    write(catalog, "r1")
    declare(monkeypatch, *OLD.columns, *now)

    with pytest.raises(UsageError, match=told) as caught:
        write(catalog, "r2")

    assert "builds all from raw" in caught.value.hint


def test_the_shape_changes_with_any_column(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = {declared_shape()}
    for rank in (RANK, replace(RANK, type=LONG), replace(RANK, required=True)):
        declare(monkeypatch, *OLD.columns, rank)
        shapes.add(declared_shape())
    assert len(shapes) == 4
