"""One row per key."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.object_store import LocalFolderStore
from storage.object_tables import deduplicate, read_parquet
from storage.raw_parts import encode_part
from utils.errors import GamelakeError


def _table(*rows: tuple[int | None, int | None, str]) -> pa.Table:
    schema = pa.schema({"id": pa.int64(), "at": pa.int64(), "name": pa.string()})
    return pa.Table.from_pylist(
        [dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema
    )


def test_the_newest_row_of_a_key_is_kept() -> None:
    table = _table((1, 5, "old"), (2, 1, "only"), (1, 7, "new"))
    assert deduplicate(table, ["id"], "at").column("name").to_pylist() == ["only", "new"]


def test_of_equals_the_last_is_kept() -> None:
    table = _table((1, 5, "first"), (1, 5, "second"))
    assert deduplicate(table, ["id"], "at").column("name").to_pylist() == ["second"]


def test_a_row_without_time_is_older_than_any() -> None:
    table = _table((1, -5, "dated"), (1, None, "undated"), (None, None, "no id"))
    assert deduplicate(table, ["id"], "at").column("name").to_pylist() == ["no id", "dated"]


def test_a_key_of_several_columns() -> None:
    table = _table((1, 1, "a"), (1, 2, "b"), (1, 3, "a"))
    assert deduplicate(table, ["id", "name"], "at").column("at").to_pylist() == [2, 3]


def test_nothing_stays_nothing() -> None:
    assert deduplicate(_table(), ["id"], "at").equals(_table())


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.text("ab", max_size=1))))
def test_it_is_a_dict_filled_in_order_of_time(rows: list[tuple[int, int, str]]) -> None:
    expected = {row[0]: row for row in sorted(rows, key=lambda row: row[1])}
    kept = deduplicate(_table(*rows), ["id"], "at").to_pylist()
    assert {row["id"]: tuple(row.values()) for row in kept} == expected
    assert len(kept) == len(expected)


def test_objects_are_read_as_a_frame(tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path)
    store.put("a", encode_part(_table((1, 1, "one"))))
    store.put("b", encode_part(_table((2, 1, "two"))))
    assert read_parquet(store, ["b", "a"], ["id"]).to_dict("list") == {"id": [2, 1]}
    with pytest.raises(GamelakeError, match="no/such"):
        read_parquet(store, ["no/such"])
