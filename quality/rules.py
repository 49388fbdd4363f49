"""Rules about tables, as the rows that break them. Pure Ibis; a rule that holds gives no row."""

from collections.abc import Sequence

import ibis
from ibis.expr.types import BooleanValue, Table


def duplicates(table: Table, key: Sequence[str]) -> Table:
    """Return each value of `key` that several rows share, with their number `copies`."""
    groups = table.group_by(*key).agg(copies=table.count())
    return groups.filter(groups["copies"] > 1)


def nulls(table: Table, columns: Sequence[str]) -> Table:
    """Return the rows in which one of `columns` is NULL, those columns only."""
    return table.filter(ibis.or_(*[table[name].isnull() for name in columns])).select(*columns)


def orphans(child: Table, column: str, parent: Table, key: str, *, shown: Sequence[str]) -> Table:
    """Return the columns `shown` of the rows whose `column` is no `key` of `parent`."""
    known = parent.select(parent_key=parent[key])
    return child.anti_join(known, child[column] == known["parent_key"]).select(*shown)


def violations(table: Table, broken: BooleanValue, *, shown: Sequence[str]) -> Table:
    """Return the columns `shown` of the rows for which `broken` is true."""
    return table.filter(broken).select(*shown)


def vanished(before: Table, after: Table) -> Table:
    """Return the rows of `before` that `after` does not hold any more, NULL equal to NULL."""
    return ibis.difference(before, after)


def other_count(found: Table, expected: Table) -> Table:
    """Return one row (`found`, `expected`) when two tables differ in their number of rows."""
    counts = _counts(found, expected)
    return counts.filter(counts["found"] != counts["expected"])


def fewer_rows(found: Table, before: Table, *, tolerated_share: float = 0.0) -> Table:
    """Return one row (`found`, `expected`) when more than that share of the rows is gone."""
    counts = _counts(found, before)
    return counts.filter(counts["found"] < counts["expected"] * (1.0 - tolerated_share))


def _counts(found: Table, expected: Table) -> Table:
    return found.aggregate(found=found.count()).cross_join(
        expected.aggregate(expected=expected.count())
    )
