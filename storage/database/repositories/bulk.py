"""Thousands of rows in one statement, straight to the driver.

SQLAlchemy builds a dict and looks at every value of every row; for rows of plain text and numbers
that costs more than the database does.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql import Executable
from sqlalchemy.sql.compiler import SQLCompiler


def execute_rows(
    connection: Connection,
    statement: Executable,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Execute `statement` for each of `rows`, tuples of the values of its parameters `names`."""
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect, column_keys=[*names])  # type: ignore[attr-defined]
    connection.exec_driver_sql(str(compiled), _parameters(compiled, names, rows))


def _parameters(
    compiled: SQLCompiler, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> Any:
    if not compiled.positional:
        return [dict(zip(names, row, strict=True)) for row in rows]
    order = [names.index(name) for name in compiled.positiontup or ()]
    if order == [*range(len(names))]:
        return rows
    return [tuple(row[at] for at in order) for row in rows]
