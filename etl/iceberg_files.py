"""Parquet files of a table: written as a stream, or by an engine, then described to Iceberg."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import FileIO, InputStream
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record

from etl.iceberg_schemas import StarTable
from etl.iceberg_types import TABLE_PROPERTIES
from utils.errors import GamelakeError

ROW_GROUP_ROWS = 122_880  # DuckDB's own, so that its threads share the work well
TARGET_FILE_BYTES = 128 * 1024 * 1024
FIELD_ID = b"PARQUET:field_id"


@dataclass(frozen=True)
class FileShape:
    """What the files of a table hold: the declared columns, by the ids that `schema` gives them."""

    table: StarTable
    schema: Schema

    def arrow(self) -> pa.Schema:
        """Return the pyarrow schema: declared columns with their field ids."""
        return pa.schema(
            [f.with_metadata({FIELD_ID: str(self.id_of(f.name))}) for f in self.table.arrow()]
        )

    def id_of(self, column: str) -> int:
        """Return the field id of a column."""
        return self.schema.find_field(column).field_id

    def copy_options(self) -> str:
        """Return the options of DuckDB's `COPY (…) TO 'folder' (…)` that make such files.

        A file is one row group: a run of the rows in their order, so a change rewrites few of
        them.
        """
        ids = ", ".join(f"{c.name}: {self.id_of(c.name)}" for c in self.table.columns)
        return (
            f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, FIELD_IDS {{{ids}}}, "
            f"ROW_GROUP_SIZE {ROW_GROUP_ROWS}, ROW_GROUPS_PER_FILE 1"
        )


@dataclass(frozen=True)
class Target:
    """The folder into which an engine shall write files of a table, and how DuckDB's COPY does."""

    path: str
    copy_options: str

    def copy_statement(self, select: str) -> str:
        """Return the DuckDB statement that writes the rows of `select` to the folder."""
        quoted = self.path.replace("'", "''")
        return f"COPY ({select}) TO '{quoted}' ({self.copy_options})"


def write_stream(
    shape: FileShape, batches: pa.RecordBatchReader, io: FileIO, paths: Iterator[str]
) -> list[DataFile]:
    """Write the batches to as many files as needed, holding one row group in memory.

    Columns may come in any order and of a type that casts; rows should come in `table.sort`
    order. Raises GamelakeError for a missing column or a NULL in a required one.
    """
    _check_columns(shape.table, batches.schema.names)
    written = []
    groups = _row_groups(_cast(shape, batches))
    group = next(groups, None)
    while group is not None:
        path = next(paths)
        group = _write_file(shape, group, groups, io=io, path=path)
        file = io.new_input(path)
        with file.open() as stream:
            written.append(describe(shape, stream, path, len(file)))
    return written


def describe(shape: FileShape, file: Path | InputStream, location: str, size: int) -> DataFile:
    """Read the footer of a file of `size` bytes and return what Iceberg's manifests say of it.

    Raises GamelakeError when the file is not one of this table: other columns or types, other
    field ids, NULL in a required column.
    """
    footer = pq.read_metadata(file)
    _check_file(shape, footer.schema.to_arrow_schema())
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=footer,
        stats_columns=compute_statistics_plan(shape.schema, TABLE_PROPERTIES),
        parquet_column_mapping=parquet_path_to_id_mapping(shape.schema),
    )
    for column in shape.table.columns:
        nulls = statistics.null_value_counts.get(shape.id_of(column.name), 0)
        if column.required and nulls > 0:
            raise _unfit(shape.table, f"{column.name} is NULL in {location}")
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        file_size_in_bytes=size,
        sort_order_id=None,
        spec_id=0,
        equality_ids=None,
        key_metadata=None,
        **statistics.to_serialized_dict(),
    )


def _write_file(
    shape: FileShape, first: pa.Table, rest: Iterator[pa.Table], *, io: FileIO, path: str
) -> pa.Table | None:
    """Fill one file to the target size; return the row group that did not fit, if any."""
    group: pa.Table | None = first
    schema = shape.arrow()
    with (
        io.new_output(path).create() as stream,
        pq.ParquetWriter(stream, schema, compression="zstd") as writer,
    ):
        while group is not None and stream.tell() < TARGET_FILE_BYTES:
            writer.write_table(group, row_group_size=ROW_GROUP_ROWS)
            group = next(rest, None)
    return group


def _cast(shape: FileShape, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    schema = shape.arrow()
    required = [c.name for c in shape.table.columns if c.required]
    for batch in batches:
        for name in required:
            if batch.column(name).null_count:
                raise _unfit(shape.table, f"{name} is NULL")
        yield batch.select(schema.names).cast(schema)


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Join small batches, so that a row group has its full number of rows."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= ROW_GROUP_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if any(b.num_rows for b in held):
        yield pa.Table.from_batches(held)


def _check_columns(table: StarTable, names: list[str]) -> None:
    wanted = {c.name for c in table.columns}
    if missing := sorted(wanted.symmetric_difference(names)):
        raise _unfit(table, f"these columns are missing or unknown: {', '.join(missing)}")


def _check_file(shape: FileShape, found: pa.Schema) -> None:
    table, wanted = shape.table, shape.arrow()
    for field, other in zip(wanted, found, strict=len(wanted) == len(found)):
        same_id = (other.metadata or {}).get(FIELD_ID) == field.metadata[FIELD_ID]
        if (field.name, field.type) != (other.name, other.type) or not same_id:
            raise _unfit(table, f"the file has {other.name} {other.type} for {field.name}")
    if len(wanted) != len(found):
        raise _unfit(table, f"the file has {len(found)} columns of {len(wanted)}")


def _unfit(table: StarTable, why: str) -> GamelakeError:
    return GamelakeError(
        f"{table.name} cannot take these rows: {why}",
        operation="write table",
        subject=table.name,
        hint="this is a defect of the table's builder; please report it",
    )
