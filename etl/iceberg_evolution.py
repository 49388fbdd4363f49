"""What happens to published tables when a newer version declares other columns.

The publish record names the declaration that its tables were built from. Where that is not the
present one, the next etl builds in full; each table takes its new columns on the run's branch,
and earlier runs keep theirs.
"""

import hashlib

from pyiceberg.exceptions import ResolveError
from pyiceberg.schema import Schema, promote
from pyiceberg.table import Table
from pyiceberg.types import IcebergType

from etl.iceberg_schemas import TABLES, StarTable
from etl.iceberg_types import iceberg_schema
from utils.errors import UsageError


def declared_shape() -> str:
    """Return a name for all that is declared of columns: other columns, another name."""
    columns = [
        f"{table.name}.{column.name} {column.type} {column.required}"
        for table in TABLES.values()
        for column in table.columns
    ]
    return hashlib.sha256("\n".join(columns).encode()).hexdigest()[:16]


def evolve(table: Table, declared: StarTable) -> None:
    """Give the table the declared columns that it lacks, and wider types; in one commit.

    Nothing happens when it has them. Raises UsageError for what Iceberg cannot do in place: a
    column that is no longer declared, a new one that is required, a type that is not wider.
    """
    wanted, found = iceberg_schema(declared), table.schema()
    if problems := _problems(wanted, found):
        raise UsageError(
            f"{declared.name} was written by another version of gamelake: {problems}",
            operation="write table",
            subject=declared.name,
            hint="use that version, or move the catalog and its tables away (docs/runbook.md, "
            "Upgrade): `gamelake etl` then builds all from raw",
        )
    if not _fits(wanted, found):
        with table.update_schema() as update:
            update.union_by_name(wanted)


def _problems(wanted: Schema, found: Schema) -> str:
    before = {field.name: field for field in found.fields}
    problems = [f"it has a column {name}" for name in before.keys() - wanted.column_names]
    for field in wanted.fields:
        old = before.get(field.name)
        if old is None:
            problems += [f"it lacks {field.name}, which is required"] * field.required
        elif field.field_type != old.field_type and not _is_wider(old.field_type, field.field_type):
            problems.append(f"{field.name} is {old.field_type}, not {field.field_type}")
    return "; ".join(sorted(problems))


def _is_wider(old: IcebergType, new: IcebergType) -> bool:
    try:
        return promote(old, new) == new
    except ResolveError:
        return False


def _fits(wanted: Schema, found: Schema) -> bool:
    before = {field.name: field for field in found.fields}
    return all(
        field.name in before
        and before[field.name].field_type == field.field_type
        and (field.required or before[field.name].optional)
        for field in wanted.fields
    )
