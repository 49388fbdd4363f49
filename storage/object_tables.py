"""Parquet objects as frames, and one row per key: for people at a prompt, over any object store.

The pipeline needs neither: it reads raw with DuckDB and takes the latest version of each game
there (etl/versions.py).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from storage.object_store import ObjectStore

if TYPE_CHECKING:
    import pandas as pd

_ROW = "__row"


def read_parquet(
    store: ObjectStore, keys: Sequence[str], columns: Sequence[str] | None = None
) -> "pd.DataFrame":
    """Return the rows of the parquet objects `keys`, in that order, `columns` only.

    Raises Damaged naming a key that is absent.
    """
    frame: pd.DataFrame = store.read_table(keys, columns).to_pandas()
    return frame


def deduplicate(table: pa.Table, by: Sequence[str], newest: str) -> pa.Table:
    """Return one row for each value of the columns `by`: the one that is last in `newest`.

    Of equals the last in `table` is taken; a row without `newest` is older than any other. Rows
    come in the order of `newest`.
    """
    order = pc.sort_indices(table, sort_keys=[(newest, "ascending", "at_start")])
    ordered = table.take(order)
    rows = pa.arange(0, len(ordered))
    groups = ordered.select(by).append_column(_ROW, rows).group_by([*by])
    return ordered.take(groups.aggregate([(_ROW, "max")])[f"{_ROW}_max"].sort())
