"""What a query gives back: the answer in the form the caller likes."""

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import duckdb
import pyarrow as pa

from utils.errors import UsageError
from utils.extras import install_command

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

T = TypeVar("T")
BATCH_ROWS = 50_000


class Answer(Protocol):
    """What can be written out: column names, schema, and batches of bounded memory."""

    columns: list[str]

    def schema(self) -> pa.Schema:
        """Return the pyarrow schema of the answer."""
        ...

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield record batches."""
        ...


class Engine(Protocol):
    """What answers SQL: DuckDB over one commit, or Dremio."""

    @property
    def tables(self) -> Mapping[str, pa.Schema]:
        """The star's tables with the documentation of their columns."""
        ...

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the curated views."""
        ...

    def sql(self, text: str) -> Answer:
        """Return the answer to one reading statement."""
        ...


class Result:
    """An admitted query, bound but not yet run; every form below runs it.

    Only one stream (`batches`) can be open on a connection: the next query ends it.
    """

    def __init__(
        self,
        relation: duckdb.DuckDBPyRelation,
        run: Callable[[Callable[[], Any]], Any],
    ) -> None:
        self._relation = relation
        self._run = run
        self.columns: list[str] = relation.columns

    def arrow(self) -> pa.Table:
        """Return a pyarrow Table."""
        return self._run(self._relation.to_arrow_table)

    def df(self) -> "pd.DataFrame":
        """Return a pandas DataFrame."""
        frame: pd.DataFrame = self._run(self._relation.df)
        return frame

    def pl(self) -> "pl.DataFrame":
        """Return a Polars DataFrame; raises UsageError when polars is not installed."""
        if find_spec("polars") is None:
            raise UsageError(
                "polars is not installed",
                operation="query",
                subject="pl",
                hint=install_command("polars>=1.35"),
            )
        frame: pl.DataFrame = self._run(self._relation.pl)
        return frame

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return a list of tuples of Python values."""
        rows: list[tuple[Any, ...]] = self._run(self._relation.fetchall)
        return rows

    def schema(self) -> pa.Schema:
        """Return the pyarrow schema of the answer."""
        return self._run(lambda: self._relation.limit(0).to_arrow_table()).schema

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """Yield record batches of at most `rows` rows; memory stays bounded."""
        reader = self._run(lambda: self._relation.to_arrow_reader(rows))
        try:
            while (batch := self._run(lambda: next(reader, None))) is not None:
                yield batch
        finally:
            reader.close()
