"""Turns a declared table into what Iceberg wants: schema, sort order, table properties."""

import pyarrow as pa
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import NullOrder, SortDirection, SortField, SortOrder
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
)

from etl.iceberg_schemas import StarTable

# Nothing is deleted after a commit: branches and tags share metadata files with main.
TABLE_PROPERTIES = {
    "format-version": "2",
    "commit.retry.num-retries": "20",
    "commit.retry.min-wait-ms": "10",
    "commit.retry.max-wait-ms": "1000",
    "commit.retry.total-timeout-ms": "30000",
    "write.metadata.delete-after-commit.enabled": "false",
    "write.metadata.previous-versions-max": "10",
    "write.parquet.compression-codec": "zstd",
}

_TYPES: dict[pa.DataType, IcebergType] = {
    pa.int64(): LongType(),
    pa.int32(): IntegerType(),
    pa.float64(): DoubleType(),
    pa.string(): StringType(),
    pa.bool_(): BooleanType(),
    pa.date32(): DateType(),
    pa.timestamp("us"): TimestampType(),
}


def iceberg_schema(table: StarTable) -> Schema:
    """Return the Iceberg schema; field ids count from 1 in declared order, docs are kept."""
    fields = [
        NestedField(number, c.name, _TYPES[c.type], required=c.required, doc=c.doc)
        for number, c in enumerate(table.columns, start=1)
    ]
    identifiers = [f.field_id for f in fields if f.name in table.key]
    return Schema(*fields, identifier_field_ids=identifiers)


def sort_order(table: StarTable) -> SortOrder:
    """Return the order of the rows within each file: ascending, NULL first."""
    schema = iceberg_schema(table)
    return SortOrder(
        *[
            SortField(
                source_id=schema.find_field(name).field_id,
                transform=IdentityTransform(),
                direction=SortDirection.ASC,
                null_order=NullOrder.NULLS_FIRST,
            )
            for name in table.sort
        ]
    )
