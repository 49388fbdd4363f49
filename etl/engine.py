"""The DuckDB session that a build runs in: bounded memory, spilling to a scratch folder."""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import ibis
import ibis.backends.sql.compilers  # 0.1 s, which `to_sql` would spend in the middle of a build
import pyarrow as pa
from ibis.expr.types import Table

from etl.engine_contract import Delta, named
from etl.iceberg_files import ROW_GROUP_ROWS
from etl.iceberg_schemas import TABLES
from etl.iceberg_writer import BranchWriter
from etl.incremental import carried_over
from utils.errors import REFUSALS, Damaged, ServiceDown, UsageError

MEMORY_MB = 1_300
OTHERS_MB = 400  # Python, Arrow and Iceberg, and what DuckDB itself does not count
THREAD_MB = 150  # of its own memory; with less a thread cannot hold what it is about to write
SMALL_ROWS = ROW_GROUP_ROWS // 2  # a file with fewer is rewritten with the next change

_POSITION = "(CAST({first} + file_index AS BIGINT) << 32) | file_row_number"


class BuildEngine:
    """Runs Ibis definitions on DuckDB. Not for queries of users: those run locked down.

    As a context manager it raises ServiceDown when DuckDB cannot read or write a file, UsageError
    when the memory that it may use is too small.
    """

    def __init__(self, scratch: Path, *, memory_mb: int = MEMORY_MB) -> None:
        """Open a session in a process that is to need no more than `memory_mb`."""
        own_mb = max(memory_mb - OTHERS_MB, 1)
        self._scratch = scratch / "duckdb"
        shutil.rmtree(self._scratch, ignore_errors=True)  # a killed run cannot clean up
        self._scratch.mkdir(parents=True)
        self._connection = duckdb.connect(
            config={
                "memory_limit": f"{own_mb}MB",
                "threads": max(1, min(os.cpu_count() or 1, own_mb // THREAD_MB)),
                "temp_directory": str(self._scratch),
                "preserve_insertion_order": False,  # ours is always an ORDER BY
                "autoinstall_known_extensions": False,
            }
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._parquet: dict[str, tuple[Sequence[str], pa.Schema]] = {}
        self._beside = ThreadPoolExecutor(1)
        self._under_way: list[Future[object]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._session()  # what nobody has asked for yet may have failed
        except duckdb.Error as late:
            _raise_told(late)
            raise
        finally:
            self._connection.interrupt()
            self._beside.shutdown(cancel_futures=True)
            self._connection.close()
        if isinstance(error, duckdb.Error):
            _raise_told(error)

    def parquet(self, name: str, uris: Sequence[str], schema: pa.Schema) -> Table:
        """See Engine."""
        self._parquet[name] = (uris, schema)
        return self._view(name, uris, schema)

    def raw(self, name: str, uris: Sequence[str], schema: pa.Schema, first: int) -> Table:
        """See Engine."""
        return self._view(name, uris, schema, _position=_POSITION.format(first=first))

    def keep(self, name: str, definition: Table) -> Table:
        """See Engine; DuckDB evaluates it while the next definitions are put into words.

        What goes wrong is raised by the next call that needs a result.
        """
        statement = f"CREATE OR REPLACE TABLE {name} AS {self.sql(definition)}"
        self._under_way.append(self._beside.submit(self._connection.execute, statement))
        return named(definition.schema(), name)

    def drop(self, name: str) -> None:
        """See Engine."""
        self._session().execute(f"DROP TABLE {name}")

    def sql(self, definition: Table) -> str:
        """Return `definition` as one DuckDB SELECT."""
        return str(ibis.to_sql(definition, dialect="duckdb", pretty=False))

    def execute(self, statement: str) -> None:
        """Run one statement, such as a COPY of `sql(...)`."""
        self._session().execute(statement)

    def rows(self, definition: Table) -> list[dict[str, Any]]:
        """See Engine."""
        query = self.sql(definition)
        found: pa.Table = self._session().sql(query).to_arrow_table()
        return list(found.to_pylist())

    def count(self, definition: Table) -> int:
        """See Engine."""
        return int(self.rows(definition.aggregate(n=definition.count()))[0]["n"])

    def write(
        self,
        writer: BranchWriter,
        name: str,
        content: Table,
        *,
        run_id: str,
        delta: Delta | None = None,
    ) -> None:
        """See Engine: one COPY, which encodes on all cores."""
        gone = None
        if delta is not None:
            content, gone = self._in_touched_files(delta)
        rows = self.sql(content.order_by(*TABLES[name].sort))
        writer.replace_by(
            name,
            lambda target: self.execute(target.copy_statement(rows)),
            run_id=run_id,
            files=gone,
        )

    def _in_touched_files(self, delta: Delta) -> tuple[Table, list[str]]:
        """Return the rows to come in the place of all files that hold a game of the delta.

        Small files are taken along, so that they do not pile up. Also returns the locations.
        """
        name = delta.published.get_name()
        uris, schema = self._parquet[name]
        placed = self._view(f"{name}_files", uris, schema, _file="CAST(file_index AS BIGINT)")
        held = placed.semi_join(delta.games, "game_id").select("_file").distinct()
        hit = {row["_file"] for row in self.rows(held)}
        touched = [n for n, file in enumerate(delta.files) if n in hit or file.rows < SMALL_ROWS]
        part = self.parquet(f"{name}_touched", [uris[n] for n in touched], schema)
        content = carried_over(part, delta.games, delta.rows)
        return content, [delta.files[n].path for n in touched]

    def _session(self) -> duckdb.DuckDBPyConnection:
        """Return the connection as soon as it has done what was given to it."""
        while self._under_way:
            self._under_way.pop(0).result()
        return self._connection

    def _view(self, name: str, uris: Sequence[str], schema: pa.Schema, **computed: str) -> Table:
        """Read files by the names of `schema`, whose order may be another one; and `computed`."""
        seen = pa.schema([*schema, *(pa.field(column, pa.int64()) for column in computed)])
        if uris:
            files = ", ".join("'" + uri.replace("'", "''") + "'" for uri in uris)
            columns = [f'"{column}"' for column in schema.names]
            columns += [f"{text} AS {column}" for column, text in computed.items()]
            # `run=...` in a path is ours to read, not a partition column
            source = f"read_parquet([{files}], hive_partitioning = false)"
            self._session().execute(
                f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {source}"
            )
        else:
            self._session().register(name, seen.empty_table())
        return named(ibis.Schema.from_pyarrow(seen), name)


def _raise_told(error: duckdb.Error) -> None:
    """Raise what a user can do something about in our words."""
    reason = str(error).partition("\n")[0]
    if isinstance(error, duckdb.OutOfMemoryException):
        raise UsageError(
            f"the build needs more memory than it may use: {reason}",
            operation="build",
            subject="GAMELAKE_MEMORY_MB",
            hint=f"raise GAMELAKE_MEMORY_MB (default {MEMORY_MB}; 700 do for 900,000 games)",
        ) from error
    if isinstance(error, duckdb.IOException | duckdb.InvalidInputException):
        refused = any(os.strerror(code) in reason for code in REFUSALS)
        raise (ServiceDown if refused else Damaged)(
            f"a file cannot be read or written: {reason}",
            operation="build",
            subject="files of the lake",
            hint="check free space and rights of the folder (gamelake doctor); the same command "
            "continues"
            if refused
            else Damaged.next_step,
        ) from error
