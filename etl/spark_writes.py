"""How Spark's rows become tables: by Spark's Iceberg on the stack, by our own writer else."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from etl.iceberg_record import RUN_PROPERTY
from etl.iceberg_schemas import StarTable
from etl.iceberg_writer import BranchWriter
from etl.spark_files import spark_uri
from etl.spark_session import explained
from etl.spark_settings import BRANCH_CATALOG, SparkSettings
from storage.layout import NAMESPACE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class TableWrites(Protocol):
    """Makes rows all that a branch has of a table; see Engine.write."""

    def write(
        self, writer: BranchWriter, table: StarTable, frame: "DataFrame", *, run_id: str
    ) -> None:
        """Write the rows, which have the table's columns and types."""


def table_writes(settings: SparkSettings, scratch: Path) -> TableWrites:
    """Return what the profile can: Spark's Iceberg cannot ask the embedded catalog."""
    return IcebergWrites(settings.master) if settings.stack else FolderWrites(scratch)


class IcebergWrites:
    """Spark's workers write the files and Spark commits them, on the branch that Spark knows."""

    def __init__(self, master: str) -> None:
        self._master = master

    def write(
        self, writer: BranchWriter, table: StarTable, frame: "DataFrame", *, run_id: str
    ) -> None:
        """See TableWrites; Spark sorts as the table declares."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        target = frame.writeTo(f"{BRANCH_CATALOG}.{NAMESPACE}.{table.name}")
        target = target.option(f"snapshot-property.{RUN_PROPERTY}", run_id)

        def commit() -> None:
            with explained(self._master):
                target.overwrite(f.lit(True))

        writer.replace_elsewhere(table.name, commit, run_id=run_id)


class FolderWrites:
    """Spark's workers write sorted parquet to the lake's scratch folder; we make it a table.

    So the workers must see that folder: one machine, or a shared disk.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def write(
        self, writer: BranchWriter, table: StarTable, frame: "DataFrame", *, run_id: str
    ) -> None:
        """See TableWrites."""
        folder = self._scratch / "spark" / table.name
        frame.sort(*table.sort).write.mode("overwrite").parquet(spark_uri(str(folder.absolute())))
        files = sorted(folder.glob("part-*.parquet"))  # in the order of their rows
        batches = pa.RecordBatchReader.from_batches(table.arrow(), _batches(table, files))
        writer.replace(table.name, batches, run_id=run_id)
        shutil.rmtree(folder)


def _batches(table: StarTable, files: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield batch.cast(table.arrow())
