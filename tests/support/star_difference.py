"""Reads a published star and says, table by table, where it differs from the oracle's."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
# Lineage that comes from when and in which run a row was read, not from what it says.
LINEAGE = frozenset({"run_id", "observed_at", "payload_hash"})
SHOWN = 5


def published(engine: Any) -> dict[str, list[Row]]:
    """Read every table of the star through the query engine."""
    return {
        name: engine.sql(f"SELECT * FROM games.{name}").arrow().to_pylist()
        for name in engine.tables
    }


def compare(
    found: Mapping[str, Sequence[Row]],
    expected: Mapping[str, Sequence[Row]],
    *,
    ignore: Collection[str] = LINEAGE,
) -> list[str]:
    """Return one line for each difference, none when the stars are equal."""
    lines = [f"{name}: table is missing" for name in sorted(expected.keys() - found.keys())]
    lines += [f"{name}: table is unexpected" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        lines += _table(name, _keyed(name, found[name]), _keyed(name, expected[name]), ignore)
    return lines


def _key_columns(table: str) -> tuple[str, ...]:
    if table.startswith("bridge_game_"):
        return ("game_id", f"{table.removeprefix('bridge_game_')}_key")
    if table == "fact_source_years":
        return ("source_code", "release_year_key")
    return ("game_id",) if table.startswith("fact_") else (f"{table.removeprefix('dim_')}_key",)


def _keyed(table: str, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    """Rows by business key, and by their place among rows of the same key.

    So a history is compared in its order, whenever it was read, and a duplicate is seen.
    """
    places: dict[tuple[Any, ...], int] = defaultdict(int)
    keyed = {}
    for row in sorted(rows, key=lambda row: str(row.get("observed_at") or "")):
        key = tuple(row[column] for column in _key_columns(table))
        keyed[(*key, places[key])] = row
        places[key] += 1
    return keyed


def _table(
    name: str,
    found: Mapping[tuple[Any, ...], Row],
    expected: Mapping[tuple[Any, ...], Row],
    ignore: Collection[str],
) -> list[str]:
    columns = _key_columns(name)
    lines = _missing(name, "missing", columns, expected.keys() - found.keys())
    lines += _missing(name, "too many", columns, found.keys() - expected.keys())
    different = [
        f"{name} {_at(columns, key)}: {column} is {row.get(column)!r}, expected {value!r}"
        for key, row in found.items()
        for column, value in expected.get(key, {}).items()
        if column not in ignore and (column not in row or row[column] != value)
    ]
    extra = {c for row in found.values() for c in row} - {c for r in expected.values() for c in r}
    lines += [f"{name}: column {c} is unexpected" for c in sorted(extra) if c not in ignore]
    return lines + _few(different)


def _missing(
    name: str, what: str, columns: Sequence[str], keys: Collection[tuple[Any, ...]]
) -> list[str]:
    examples = "; ".join(_at(columns, key) for key in sorted(keys)[:SHOWN])
    return [f"{name}: {len(keys)} rows {what}: {examples}"] if keys else []


def _at(columns: Sequence[str], key: tuple[Any, ...]) -> str:
    place = f" (#{key[-1] + 1})" if key[-1] else ""
    return ", ".join(f"{c}={k}" for c, k in zip(columns, key, strict=False)) + place


def _few(lines: list[str]) -> list[str]:
    more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return lines[:SHOWN] + more
