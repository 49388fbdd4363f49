"""Joins what is rebuilt with what stays, so that a run costs what changed. Pure Ibis.

A table of the star is a union of parts that each depend on one game only (fact, history,
bridges). The parts of affected games are built by the same definitions as in a full build; the
others are carried over from the published table. Dimensions are rebuilt whole: they are small,
and what is published counts as their oldest observation.
"""

import ibis
from ibis.expr.types import Table

from etl.iceberg_schemas import StarTable


def is_per_game(declared: StarTable) -> bool:
    """Return whether the rows of a table belong to one game each."""
    return "game_id" in declared.key


def affected_games(new_rows: Table) -> Table:
    """Return `game_id` of every game that the raw rows `new_rows` speak of."""
    return new_rows.select(game_id=new_rows["id"]).distinct()


def raw_rows_of(games: Table, affected: Table) -> Table:
    """Return the raw rows of the affected games, old ones included."""
    return games.semi_join(affected, games["id"] == affected["game_id"])


def carried_over(published: Table, affected: Table, rebuilt: Table) -> Table:
    """Return the new content of a per-game table."""
    kept = published.anti_join(affected, "game_id")
    return ibis.union(kept, rebuilt)


def rows_missing(table: Table, from_other: Table) -> Table:
    """Return the rows of `table` that `from_other` does not hold, NULL equal to NULL."""
    return ibis.difference(table, from_other)
