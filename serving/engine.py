"""SQL over one published commit: read-only, and locked down so that it cannot be otherwise.

DuckDB gets no file access whatever (`enable_external_access` off, nothing allowed, no spill
folder). It reads the pinned parquet files through pyarrow datasets made here, so neither COPY
nor ATTACH nor any function of a later release can touch a live file: there is no path to it.
Measured against `read_parquet` on 900,000 games it costs a factor of about 2 on scans, and
`allowed_directories` would have given write access (see docs/decisions).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from etl.iceberg_catalog import PinnedCatalog, PinnedTable
from etl.iceberg_schemas import TABLES
from etl.iceberg_warehouse import LOCAL_FILES, TableFiles
from serving.faults import explained
from serving.gate import admit
from serving.result import Result
from serving.view_files import View, load_views
from serving.watch import Deadline, Watch
from storage.layout import NAMESPACE, VIEWS_SCHEMA
from utils.errors import Damaged

MEMORY_LIMIT = "1GB"
_PREFIX = "pinned_"  # DuckDB's temporary views over the datasets; users see schema games
_SHOW_TABLES = re.compile(r"\s*SHOW\s+TABLES\s*", re.I)
_LISTING = f"SELECT * FROM (SHOW TABLES) WHERE NOT starts_with(name, '{_PREFIX}')"
_OPTIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "temp_directory": "",
}
_LOCK = (
    "SET python_enable_replacements = false",  # or FROM would read variables of the caller
    f"SET search_path = '{NAMESPACE},{VIEWS_SCHEMA}'",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


class QueryEngine:
    """A connection that sees exactly the tables of one commit; use as a context manager."""

    def __init__(
        self,
        pinned: PinnedCatalog,
        *,
        files: TableFiles = LOCAL_FILES,
        timeout: float | None = None,
        memory_limit: str = MEMORY_LIMIT,
    ) -> None:
        """Open over `pinned`, whose data is in `files`.

        `timeout` is seconds a query, `memory_limit` like "1GB".
        """
        self.head = pinned.head
        self.timeout = timeout
        self.tables: Mapping[str, pa.Schema] = {n: t.schema for n, t in pinned.tables.items()}
        sources = {name: dataset(table, files) for name, table in pinned.tables.items()}
        self._connection = duckdb.connect(config={**_OPTIONS, "memory_limit": memory_limit})
        self._watch = Watch(self._connection.interrupt)
        self._expose(sources)
        self.views = self._create_views()
        self._execute(_LOCK)

    def sql(self, text: str, *, timeout: float | None = None) -> Result:
        """Return the answer to one reading statement.

        `timeout` in seconds overrides the engine's. Raises UsageError when the statement is
        refused, wrong, too slow or too large, and Stopped on Ctrl-C.
        """
        statement = admit(text)
        if _SHOW_TABLES.fullmatch(statement):
            statement = _LISTING
        deadline_s = self.timeout if timeout is None else timeout

        def run(work: Callable[[], Any]) -> Any:
            with explained(text, (*self.tables, *self.views)):
                return self._watch.call(work, Deadline(deadline_s))

        return Result(run(lambda: self._connection.sql(statement)), run)

    def close(self) -> None:
        """Close the connection."""
        self._watch.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _expose(self, sources: Mapping[str, ds.Dataset]) -> None:
        self._execute([f"CREATE SCHEMA {NAMESPACE}", f"CREATE SCHEMA {VIEWS_SCHEMA}"])
        for name, source in sources.items():
            self._connection.register(_PREFIX + name, source)
            select = f"SELECT * FROM temp.main.{_PREFIX}{name}"
            self._execute([f'CREATE VIEW {NAMESPACE}."{name}" AS {select}'])

    def _create_views(self) -> tuple[str, ...]:
        self._execute([f"SET search_path = '{NAMESPACE},{VIEWS_SCHEMA}'"])
        return tuple(view.name for view in load_views() if self._create_view(view))

    def _create_view(self, view: View) -> bool:
        """Create a view and return True; False when an earlier version's commit lacks its input."""
        try:
            self._execute([f"CREATE VIEW {VIEWS_SCHEMA}.{view.name} AS {view.sql}"])
        except (duckdb.CatalogException, duckdb.BinderException):
            if all(_is_as_declared(name, self.tables.get(name)) for name in TABLES):
                raise
            return False
        return True

    def _execute(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._connection.execute(statement)


def _is_as_declared(name: str, found: pa.Schema | None) -> bool:
    """Return whether a published table has every column that this version declares."""
    return found is not None and {*TABLES[name].arrow().names} <= {*found.names}


def dataset(table: PinnedTable, files: TableFiles) -> ds.Dataset:
    """Return the table's rows as a pyarrow dataset: its data files, or none of any.

    Raises Damaged when a data file is missing.
    """
    try:
        return files.dataset([file.path for file in table.data_files], table.schema)
    except FileNotFoundError as error:
        raise Damaged(
            f"a data file of {table.name} is missing",
            operation="open lake",
            subject=str(error),
            hint=Damaged.next_step,
        ) from error
