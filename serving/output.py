"""Writes an answer as table, CSV, JSON or parquet, to stdout or to a file.

Everything streams in batches, so the size of an answer is not bounded by memory (JSON is one
array, written row by row). A file appears whole or not at all.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Literal, TextIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from serving.result import Answer
from serving.table import write_table
from utils.errors import UsageError
from utils.seams import operation

Format = Literal["table", "csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json", "parquet")
# Exact numbers: a DECIMAL becomes a JSON number of the same digits, NaN becomes null.
_JSON = msgspec.json.Encoder(decimal_format="number")


def write(
    result: Answer, fmt: Format, *, out: IO[bytes], notes: TextIO, output: Path | None = None
) -> int:
    """Write `result` and return its number of rows; remarks (footers) go to `notes`.

    Goes to the file `output`, else to the byte stream `out`. Parquet needs a file: UsageError.
    """
    if output is None:
        if fmt == "parquet":
            raise UsageError(
                "parquet is not for a terminal",
                operation="write answer",
                subject="--format parquet",
                hint="add --output FILE",
            )
        with _expressible(fmt):
            return _writer(fmt, notes)(result, out)
    with _whole_file(output) as stream, _expressible(fmt):
        rows = _writer(fmt, notes)(result, stream)
    notes.write(f"{rows:,} {'row' if rows == 1 else 'rows'} in {output}\n")
    return rows


def _writer(fmt: Format, notes: TextIO) -> Callable[[Answer, IO[bytes]], int]:
    writers: dict[Format, Callable[[Answer, IO[bytes]], int]] = {
        "csv": _write_csv,
        "json": _write_json,
        "parquet": _write_parquet,
        "table": lambda result, out: write_table(result, out, notes),
    }
    return writers[fmt]


def _write_json(result: Answer, out: IO[bytes]) -> int:
    rows, names = 0, _distinct(result.columns)
    for batch in result.batches():
        # Nothing is written before the first rows are there: an error then leaves stdout clean.
        for row in batch.rename_columns(names).to_pylist():
            out.write(b",\n" if rows else b"[\n")
            out.write(_JSON.encode(row))
            rows += 1
    out.write(b"\n]\n" if rows else b"[]\n")
    return rows


def _distinct(columns: list[str]) -> list[str]:
    """Return the names with _1, _2... behind repeated ones: an object has each name once."""
    seen: list[str] = []
    for name in columns:
        repeats = (f"{name}_{n}" for n in count(1))
        seen.append(name if name not in seen else next(r for r in repeats if r not in seen))
    return seen


def _write_csv(result: Answer, out: IO[bytes]) -> int:
    schema = pa.schema([pa.field(f.name, _flat_type(f.type)) for f in result.schema()])
    rows = 0
    with csv.CSVWriter(out, schema) as writer:
        for batch in result.batches():
            columns = [_flat(column) for column in batch.columns]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            rows += batch.num_rows
    return rows


def _flat_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_nested(kind) or pa.types.is_timestamp(kind):
        return pa.string()
    return kind


def _flat(column: pa.Array) -> pa.Array:
    """Return what CSV can hold: nested values as JSON, timestamps as ISO text."""
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%S")
    if not pa.types.is_nested(column.type):
        return column
    texts = [None if v is None else _JSON.encode(v).decode() for v in column.to_pylist()]
    return pa.array(texts, pa.string())


def _write_parquet(result: Answer, out: IO[bytes]) -> int:
    rows, schema = 0, result.schema()
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in result.batches():
            # In a batch repeated names stay as they are, in the schema the later ones got a number.
            writer.write_batch(batch.rename_columns(schema.names))
            rows += batch.num_rows
    return rows


@contextmanager
def _expressible(fmt: Format) -> Iterator[None]:
    """DuckDB knows values that Python or a format cannot hold, such as DATE 'infinity'."""
    try:
        yield
    except (OverflowError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(
            f"a value of the answer cannot be written as {fmt}: {error}",
            operation="write answer",
            subject=f"--format {fmt}",
            hint="CAST the column to VARCHAR",
        ) from error


@contextmanager
def _whole_file(path: Path) -> Iterator[IO[bytes]]:
    partial = path.parent / f".{path.name}.{os.getpid()}.partial"  # "/" has no name
    try:
        with operation("file.write"):
            with partial.open("wb") as stream:
                yield stream
            partial.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror or error}",
            operation="write answer",
            subject=str(path),
            hint="give --output a path in a folder that exists and has room",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
