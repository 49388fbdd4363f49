"""What an engine does for a build. The definitions are Ibis; DuckDB and Spark both run them.

`BuildEngine` (DuckDB, in this process) and `SparkEngine` keep it; one suite runs over both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from etl.iceberg_contract import DataFileInfo
from etl.iceberg_writer import BranchWriter

EngineName = Literal["duckdb", "spark"]


@dataclass(frozen=True)
class Delta:
    """How the new content of a table, whose rows belong to one game each, differs.

    published: the table as it is, as the engine's `parquet` named it
    files: its files, in the order in which `parquet` was given them
    games: `game_id` of every game with a row that is new, changed or gone
    rows: all rows that those games have from now on
    """

    published: Table
    files: tuple[DataFileInfo, ...]
    games: Table
    rows: Table


class Places(Protocol):
    """Where an engine finds the files of the lake."""

    def raw(self, keys: Sequence[str]) -> list[str]:
        """Return the address of each raw object, in that order."""

    def tables(self, locations: Sequence[str]) -> list[str]:
        """Return the address of each file of a table, in that order."""


class Engine(Protocol):
    """Evaluates definitions, and writes tables. Raises ServiceDown when files cannot be used."""

    def parquet(self, name: str, uris: Sequence[str], schema: pa.Schema) -> Table:
        """Name the rows of parquet files of `schema` as a table; no files, no rows."""

    def raw(self, name: str, uris: Sequence[str], schema: pa.Schema, first: int) -> Table:
        """Name the rows of raw parts, with `_position`: the place of the part, then of the row.

        `first` is the place of the first part in an order over all parts of all entities. The
        number is the same on every engine: place x 2^32 + row.
        """

    def keep(self, name: str, definition: Table) -> Table:
        """Evaluate `definition` once and return the table that holds its rows."""

    def drop(self, name: str) -> None:
        """Forget a table that `keep` made, and free its memory."""

    def rows(self, definition: Table) -> list[dict[str, Any]]:
        """Return the rows of a small result."""

    def count(self, definition: Table) -> int:
        """Return how many rows `definition` has."""

    def write(
        self,
        writer: BranchWriter,
        name: str,
        content: Table,
        *,
        run_id: str,
        delta: Delta | None = None,
    ) -> None:
        """Make `content`, in the table's sort order, all that the writer's branch has of a table.

        One snapshot, which carries `run_id`; nothing happens when that run has written it. With
        `delta`, which leads to the same content, files that it does not touch may stay.
        """


def named(schema: ibis.Schema, name: str) -> Table:
    """Return a table that takes no column for required, so that any two can be united."""
    nullable = {column: kind(nullable=True) for column, kind in schema.items()}
    return ibis.table(nullable, name)
