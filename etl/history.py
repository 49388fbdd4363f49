"""fact_game_history: the versions of a game in which a measure moved. Pure Ibis."""

import functools
import operator

import ibis
from ibis.expr.types import Table

from etl.expressions import differs, shape, strict_timestamp
from etl.iceberg_schemas import FACT_GAME_HISTORY

MEASURES = ("rating", "ratings_count", "added_count", "metacritic_score", "playtime_hours")


def fact_game_history(games: Table) -> Table:
    """Return the first version of each game and those whose measures differ from the one before.

    `games` is every observed raw row, with `version`. A game listed twice on one page counts as
    one observation, its last: (game_id, observed_at) is the business key.
    """
    seen = _observations(games)
    in_order = ibis.window(group_by="game_id", order_by="version")
    # Two steps: Spark has no QUALIFY, which Ibis would make of one.
    seen = seen.mutate(next_at=seen["observed_at"].lead().over(in_order))
    seen = seen.filter(differs(seen["next_at"], seen["observed_at"]))
    before = {f"before_{name}": seen[name].lag().over(in_order) for name in MEASURES}
    rows = seen.mutate(number=ibis.row_number().over(in_order), **before)
    moved = [differs(rows[name], rows[f"before_{name}"]) for name in MEASURES]
    changed = (rows["number"] == 0) | functools.reduce(operator.or_, moved)
    return shape(rows.filter(changed), FACT_GAME_HISTORY)


def _observations(games: Table) -> Table:
    return games.select(
        "version",
        "rating",
        game_id=games["id"],
        observed_at=games["_fetched_at"].cast("timestamp(6)"),
        source_updated_at=strict_timestamp(games["updated"]),
        ratings_count=games["ratings_count"].fill_null(0),
        added_count=games["added"].fill_null(0),
        metacritic_score=games["metacritic"],
        playtime_hours=games["playtime"],
        payload_hash=games["_payload_hash"],
        run_id=games["_run_id"],
    )
