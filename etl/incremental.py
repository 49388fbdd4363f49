"""Joins what is rebuilt with what stays, so that a run costs what changed. Pure Ibis.

A table of the star is a union of parts that each depend on one game only (fact, history,
bridges). The parts of affected games are built by the same definitions as in a full build; the
others are carried over from the published table. Dimensions are rebuilt whole: they are small,
and what is published counts as their oldest observation.
"""

from collections.abc import Mapping

import ibis
from ibis.expr.types import Table, Value

from etl.iceberg_schemas import StarTable


def is_per_game(declared: StarTable) -> bool:
    """Return whether the rows of a table belong to one game each."""
    return "game_id" in declared.key


def is_dimension(declared: StarTable) -> bool:
    """Return whether a table lists what facts and bridges refer to, with an unknown member."""
    return declared.name.startswith("dim_")


def affected_games(new_rows: Table) -> Table:
    """Return `game_id` of every game that the raw rows `new_rows` speak of."""
    return new_rows.select(game_id=new_rows["id"]).distinct()


# What the star may still take from a row that is not the newest of its game: earlier measures for
# the history, and what the newest row's listing does not carry. The rest is not read.
OF_EARLIER_ROWS = frozenset(
    {
        *("id", "updated", "rating", "ratings_count", "added", "metacritic", "playtime"),
        *("platforms", "tags"),
        *("_position", "_fetched_at", "_listing", "_payload_hash", "_run_id"),
    }
)


def rows_of_affected(applied: Table, new: Table, affected: Table) -> Table:
    """Return the raw rows of the affected games: those applied before, thinned out, and the new."""
    earlier = applied.semi_join(affected, applied["id"] == affected["game_id"])
    thin = {name: _kept(earlier[name], name) for name in earlier.columns}
    return ibis.union(earlier.select(**thin), new)


def _kept(column: Value, name: str) -> Value:
    return column if name in OF_EARLIER_ROWS else ibis.null(column.type())


def changed_games(after: Table, before: Table) -> Table:
    """Return `game_id` of the games whose rows differ."""
    differing = ibis.union(rows_missing(after, before), rows_missing(before, after))
    return differing.select("game_id").distinct()


def carried_over(published: Table, games: Table, rebuilt: Table) -> Table:
    """Return `published` with `rebuilt` in the place of the rows of `games`."""
    kept = published.anti_join(games, "game_id")
    return ibis.union(kept, rebuilt)


def rows_missing(table: Table, from_other: Table) -> Table:
    """Return the rows of `table` that `from_other` does not hold, NULL equal to NULL."""
    return ibis.difference(table, from_other)


def differences(after: Mapping[str, Table], before: Mapping[str, Table]) -> Table:
    """Return `what` and `n`: for each table, how many rows `<name> added` and `<name> removed`.

    A changed row counts as both. One query for all: most of them find little.
    """
    found = {}
    for name, rows in after.items():
        found[f"{name} added"] = rows_missing(rows, before[name])
        found[f"{name} removed"] = rows_missing(before[name], rows)
    counts = [
        rows.aggregate(n=rows.count()).mutate(what=ibis.literal(what, "string"))
        for what, rows in found.items()
    ]
    return ibis.union(*counts)
