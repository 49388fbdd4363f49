"""Which row of raw is which version of a game. Pure Ibis.

Raw rows come with `_position`: part order (run_id, number) and row in the part, as one number
that no other raw row has. Versions are ordered by `_fetched_at`, then by position.
"""

import ibis
from ibis.expr.types import Table

BROWSE = "browse"
FILTERED = "filtered"


def observed_order(*raws: Table) -> Table:
    """Number all raw rows of all entities in the order of their observation.

    Returns `position` (unique) and `version` (dense, from 1).
    """
    rows = ibis.union(
        *[raw.select(position=raw["_position"], fetched_at=raw["_fetched_at"]) for raw in raws]
    )
    order = ibis.row_number().over(order_by=[rows["fetched_at"], rows["position"]])
    return rows.select("position", version=order + 1)


def with_version(raw: Table, order: Table) -> Table:
    """Add `version` to every raw row."""
    joined = raw.join(order, raw["_position"] == order["position"])
    return joined.drop("position", "_position")


def picked_versions(games: Table) -> Table:
    """Return one row a game: the versions that its rows in the star come from.

    `latest` always; `last_browse` and `last_filtered` are NULL until such a row was seen.
    """
    version, listing = games["version"], games["_listing"]
    return games.group_by(game_id=games["id"]).agg(
        latest=version.max(),
        last_browse=version.max(where=listing == BROWSE),
        last_filtered=version.max(where=listing == FILTERED),
    )


def rows_of(games: Table, picks: Table, which: str) -> Table:
    """Return the raw rows that `picks` names in its column `which`."""
    return games.semi_join(picks, games["version"] == picks[which])
