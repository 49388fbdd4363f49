"""Parquet files of the lake as Spark reads them: addresses, schemas, and places of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa

from storage.object_store import ObjectStore

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

# Given files are files: no name is a pattern, and `run=...` in a path is no column.
_AS_THEY_ARE = {"recursiveFileLookup": "true", "__globPaths__": "false"}


@dataclass(frozen=True)
class SparkPlaces:
    """Files where they lie: every worker reads them there, so a folder must be shared."""

    store: ObjectStore

    def raw(self, keys: Sequence[str]) -> list[str]:
        """See Places."""
        return [spark_uri(self.store.uri(key)) for key in keys]

    def tables(self, locations: Sequence[str]) -> list[str]:
        """See Places."""
        return [spark_uri(location) for location in locations]


def spark_uri(location: str) -> str:
    """Return the address of a file for Hadoop's file systems, which know S3 as s3a."""
    if location.startswith("s3://"):
        return location.replace("s3://", "s3a://", 1)
    return location if location.startswith("file://") else f"file://{location}"


def struct_type(schema: pa.Schema) -> "StructType":
    """Return Spark's type of such rows; a timestamp without zone stays one."""
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - an extra

    return from_arrow_schema(schema, prefer_timestamp_ntz=True)


def read_parquet(session: "SparkSession", uris: Sequence[str], schema: pa.Schema) -> "DataFrame":
    """Return the rows of parquet files; no files, no rows."""
    declared = struct_type(schema)
    if not uris:
        return session.createDataFrame([], declared)
    return session.read.schema(declared).options(**_AS_THEY_ARE).parquet(*uris)


def with_position(frame: "DataFrame", uris: Sequence[str], first: int) -> "DataFrame":
    """Add `_position` to what `read_parquet` read from `uris`: see Engine.raw."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    if not uris:
        return frame.select("*", f.lit(0).cast("long").alias("_position"))
    numbers = {uri: first + number for number, uri in enumerate(uris)}
    # Spark names the files in two forms: escaped with three slashes here, with one in a row.
    places = [(_in_a_row(file), numbers[unquote(file)]) for file in frame.inputFiles()]
    listed = frame.sparkSession.createDataFrame(places, "file string, place long")
    located = frame.select("*", "_metadata.file_path", "_metadata.row_index")
    joined = located.join(f.broadcast(listed), f.col("file_path") == f.col("file"), "left")
    place = "coalesce(place, raise_error('a row of a file that was not asked for'))"
    position = f.expr(f"shiftleft({place}, 32) | row_index").alias("_position")
    return joined.select(*frame.columns, position)


def _in_a_row(file: str) -> str:
    return file.replace("file:///", "file:/", 1)
