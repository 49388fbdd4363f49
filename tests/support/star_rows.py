"""Literal rows for any table of the star: name what matters, the rest is filled in."""

import datetime as dt
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from etl.iceberg_files import FileShape
from etl.iceberg_record import PublishRecord
from etl.iceberg_schemas import TABLES
from etl.iceberg_types import iceberg_schema
from etl.iceberg_writer import BranchWriter, WriteResult

_FILL: dict[pa.DataType, object] = {
    pa.int64(): 1,
    pa.int32(): 1,
    pa.float64(): 0.5,
    pa.string(): "x",
    pa.bool_(): False,
    pa.date32(): dt.date(2020, 1, 2),
    pa.timestamp("us"): dt.datetime(2020, 1, 2, 3, 4, 5),  # noqa: DTZ001 - the star's are UTC without a zone
}


def star_table(name: str, rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Return a table of the star from partial rows."""
    schema = TABLES[name].arrow()
    blank = {field.name: _FILL[field.type] for field in schema}
    return pa.Table.from_pylist([{**blank, **row} for row in rows], schema=schema)


def star_rows(name: str, rows: Iterable[Mapping[str, object]]) -> pa.RecordBatchReader:
    """Return `star_table` as the stream that writers take."""
    return star_table(name, rows).to_reader()


def genres(*keys: int) -> pa.RecordBatchReader:
    """Return rows of dim_genre with these keys."""
    return star_rows("dim_genre", [{"genre_key": key} for key in keys])


def append(
    writer: BranchWriter, name: str, rows: pa.RecordBatchReader, *, run_id: str
) -> WriteResult:
    """Add rows to a table as an engine does with games that are new."""
    shape = FileShape(TABLES[name], iceberg_schema(TABLES[name]))
    table = rows.read_all().cast(shape.arrow())
    return writer.replace_by(
        name,
        lambda target: pq.write_table(table, f"{target.path}/rows.parquet"),
        run_id=run_id,
        files=(),
    )


def publish_record(run_id: str, *, fence: int = 1, **more: object) -> PublishRecord:
    """Return a small publish record."""
    fields: dict[str, object] = {
        "mode": "full",
        "raw_applied": {"games/r1": 1},
        "tables": {},
        "rows": {},
        "published_at": "2026-01-02T03:04:05+00:00",
        **more,
    }
    return PublishRecord(run_id=run_id, fence=fence, **fields)  # type: ignore[arg-type]
