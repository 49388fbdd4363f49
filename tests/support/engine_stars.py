"""The star as engines read it, in one form: what two of them must agree on, lineage included."""

from collections.abc import Mapping

import pyarrow as pa
from lakes import LakeUnderTest

from etl.iceberg_schemas import TABLES
from serving.lake import connect
from utils.config import load_settings

Star = Mapping[str, pa.Table]


def star_in(lake: LakeUnderTest, ref: str | None = None) -> Star:
    """Return every table as `gamelake sql` reads it."""
    with connect(load_settings(lake.environ, dotenv=None), ref) as engine:
        return {name: engine.sql(f"SELECT * FROM {name}").arrow() for name in engine.tables}


def different(found: Star, expected: Star) -> list[str]:
    """Return the tables that are missing, unexpected, or have other rows."""
    assert set(expected) == set(TABLES)
    return sorted(found.keys() ^ expected.keys()) + [
        name
        for name in found.keys() & expected.keys()
        if _in_order(name, found[name]) != _in_order(name, expected[name])
    ]


def _in_order(name: str, rows: pa.Table) -> pa.Table:
    """Return the rows by business key, in the declared types."""
    schema = pa.schema([pa.field(column.name, column.type) for column in TABLES[name].columns])
    rows = rows.replace_schema_metadata(None).cast(schema)
    return rows.sort_by([(key, "ascending") for key in TABLES[name].key])
