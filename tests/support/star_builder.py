"""Builds the star, or one table of it, from literal raw rows on an in-memory DuckDB."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import duckdb
import ibis
import pyarrow as pa
from ibis.expr.types import Table
from raw_builder import Row, raw_games, raw_lookups, raw_year_counts

from etl.expressions import UNKNOWN_KEY
from etl.iceberg_schemas import TABLES
from etl.star import StarInputs, build_star
from etl.versions import observed_order, picked_versions, with_version
from storage.layout import LOOKUPS, YEAR_COUNTS

Lookups = Mapping[str, Iterable[Row]]


def build(
    games: Iterable[Row], lookups: Lookups | None = None, only: Collection[str] = TABLES
) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of a full build, as rows sorted by the table's business key."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        star = build_star(inputs(connection, games, lookups or {}))
        return {
            name: rows_of(connection, table, name) for name, table in star.items() if name in only
        }


def table(name: str, games: Iterable[Row], lookups: Lookups | None = None) -> list[dict[str, Any]]:
    """Return one table of a full build; the Unknown row of a dimension is left out."""
    rows = build(games, lookups, only=(name,))[name]
    return [row for row in rows if row[TABLES[name].key[0]] != UNKNOWN_KEY]


def inputs(
    connection: duckdb.DuckDBPyConnection, games: Iterable[Row], lookups: Lookups
) -> StarInputs:
    """Return the inputs of a full build."""
    raw = {"games": raw_games(games)}
    raw |= {name: raw_lookups(lookups.get(name, ())) for name in LOOKUPS}
    raw[YEAR_COUNTS] = raw_year_counts(lookups.get(YEAR_COUNTS, ()))
    tables, position = {}, 0
    for name, rows in raw.items():
        numbered = rows.append_column("_position", _positions(position, rows.num_rows))
        connection.register(f"raw_{name}", numbered)
        tables[name] = ibis.table(ibis.Schema.from_pyarrow(numbered.schema), f"raw_{name}")
        position += rows.num_rows
    order = observed_order(*tables.values())
    versioned = {name: with_version(table, order) for name, table in tables.items()}
    seen = versioned["games"]
    return StarInputs(
        games=seen,
        picks=picked_versions(seen),
        observed=seen,
        lookups=versioned,
        parent_platforms=versioned["parent_platforms"],
        year_counts=tables[YEAR_COUNTS],
    )


def rows_of(connection: duckdb.DuckDBPyConnection, table: Table, name: str) -> list[dict[str, Any]]:
    """Return the rows of one table of the star, sorted by its business key."""
    select = ibis.to_sql(table.order_by(*TABLES[name].key), dialect="duckdb")
    return connection.sql(select).to_arrow_table().to_pylist()


def _positions(first: int, count: int) -> pa.Array:
    return pa.array(range(first, first + count), pa.int64())
