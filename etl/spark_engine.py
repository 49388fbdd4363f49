"""The engine for more than one machine: the same definitions, run by Spark."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from etl.engine_contract import Delta, named
from etl.iceberg_schemas import TABLES
from etl.iceberg_writer import BranchWriter
from etl.spark_files import read_parquet, struct_type, with_position
from etl.spark_session import spark_session
from etl.spark_settings import SparkSettings
from etl.spark_writes import TableWrites, table_writes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@contextmanager
def open_spark(settings: SparkSettings, branch: str, scratch: Path) -> Iterator["SparkEngine"]:
    """Give an engine that writes on `branch`; see `spark_session` for what it raises."""
    with spark_session(settings, branch) as session:
        engine = SparkEngine(session, table_writes(settings, scratch))
        yield engine
        engine.close()


class SparkEngine:
    """Runs Ibis definitions on Spark. No Python runs on the workers, so they need none."""

    def __init__(self, session: "SparkSession", writes: TableWrites) -> None:
        self._session = session
        self._writes = writes
        self._ibis = ibis.pyspark.connect(session)
        self._kept: dict[str, DataFrame] = {}

    def close(self) -> None:
        """Forget what was kept, for a Spark that goes on."""
        for name in [*self._kept]:
            self.drop(name)

    def parquet(self, name: str, uris: Sequence[str], schema: pa.Schema) -> Table:
        """See Engine."""
        return self._view(name, read_parquet(self._session, uris, schema), schema)

    def raw(self, name: str, uris: Sequence[str], schema: pa.Schema, first: int) -> Table:
        """See Engine."""
        frame = with_position(read_parquet(self._session, uris, schema), uris, first)
        return self._view(name, frame, schema.append(pa.field("_position", pa.int64())))

    def keep(self, name: str, definition: Table) -> Table:
        """See Engine; evaluated when it is first read, spilled to disk where memory ends."""
        schema = definition.schema()
        self._kept[name] = self._frame(definition, schema.to_pyarrow()).persist()
        return self._view(name, self._kept[name], schema.to_pyarrow())

    def drop(self, name: str) -> None:
        """See Engine."""
        self._session.catalog.dropTempView(name)
        self._kept.pop(name).unpersist()

    def rows(self, definition: Table) -> list[dict[str, Any]]:
        """See Engine."""
        found = self._frame(definition, definition.schema().to_pyarrow()).collect()
        return [row.asDict() for row in found]

    def count(self, definition: Table) -> int:
        """See Engine."""
        return int(self._frame(definition, definition.schema().to_pyarrow()).count())

    def write(
        self,
        writer: BranchWriter,
        name: str,
        content: Table,
        *,
        run_id: str,
        delta: Delta | None = None,
    ) -> None:
        """See Engine; the whole table is written."""
        del delta
        frame = self._frame(content, TABLES[name].arrow())
        self._writes.write(writer, TABLES[name], frame, run_id=run_id)

    def _frame(self, definition: Table, schema: pa.Schema) -> "DataFrame":
        """Return the rows in exactly these types: Ibis knows no Spark timestamp without zone."""
        frame = self._session.sql(self._ibis.compile(definition.unbind()))
        return frame.select(
            *[frame[field.name].cast(field.dataType) for field in struct_type(schema)]
        )

    def _view(self, name: str, frame: "DataFrame", schema: pa.Schema) -> Table:
        frame.createOrReplaceTempView(name)
        return named(ibis.Schema.from_pyarrow(schema), name)
