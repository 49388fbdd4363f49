"""The published star as Arrow tables that two runs of the same source must agree on."""

from collections.abc import Mapping

import pyarrow as pa
from star_difference import compare

from gamelake.context import Lake
from storage.layout import MAIN

Star = dict[str, pa.Table]
# When and by which run a version was read, differs from run to run.
_LINEAGE = ("run_id", "observed_at")
_VERSIONS = ("game_id", "observed_at")


def read_star(lake: Lake) -> Star:
    """Return every published table, each in an order of its own rows, without lineage."""
    pinned = lake.catalog.pin(MAIN)
    dataset = lake.catalog.files.dataset
    return {
        name: _normal(dataset([f.path for f in table.data_files], table.schema).to_table())
        for name, table in pinned.tables.items()
        if table.data_files
    }


def _normal(table: pa.Table) -> pa.Table:
    if {*_VERSIONS} <= {*table.column_names}:  # a game's versions are compared in their order
        table = table.sort_by([(name, "ascending") for name in _VERSIONS])
        return _without_lineage(table)
    table = _without_lineage(table)
    return table.sort_by([(name, "ascending") for name in table.column_names])


def _without_lineage(table: pa.Table) -> pa.Table:
    return table.drop_columns([name for name in _LINEAGE if name in table.column_names])


def differences(found: Star, expected: Star) -> list[str]:
    """Return one line for each difference, none when the stars are equal."""
    equal = found.keys() == expected.keys() and all(
        found[name].equals(expected[name]) for name in expected
    )
    return [] if equal else compare(_rows(found), _rows(expected), ignore=()) or ["order differs"]


def _rows(star: Mapping[str, pa.Table]) -> dict[str, list[dict[str, object]]]:
    return {name: table.to_pylist() for name, table in star.items()}
