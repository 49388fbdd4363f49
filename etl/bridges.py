"""The bridges: which game is on which platforms, in which stores and genres, under which tags.

Pure Ibis. Entries without an id are left out; an entry listed twice in one game counts once.
"""

import ibis
from ibis.expr.types import Table

from etl.expressions import shape, strict_date, surrogate_key, unnest_list
from etl.iceberg_schemas import (
    BRIDGE_GAME_GENRE,
    BRIDGE_GAME_PLATFORM,
    BRIDGE_GAME_STORE,
    BRIDGE_GAME_TAG,
    StarTable,
)

RUSSIAN = "rus"


def bridge_game_platform(latest: Table, last_browse: Table) -> Table:
    """Return the platforms of the latest version.

    `released_on` is only carried by browse rows: it comes from the game's last browse row, by
    platform, so that a filtered row never blanks it; NULL until a browse row was seen. A platform
    listed twice is released on its earliest day.
    """
    listed = _platforms(latest).select("game_id", "item_id").distinct()
    dated = _platforms(last_browse)
    first_days = dated.group_by("game_id", "item_id").agg(released_on=dated["released_on"].min())
    joined = listed.left_join(first_days, ["game_id", "item_id"])
    rows = joined.mutate(platform_key=surrogate_key(joined["item_id"]))
    return shape(rows, BRIDGE_GAME_PLATFORM)


def bridge_game_store(latest: Table) -> Table:
    """Return the stores of the latest version."""
    entries = unnest_list(latest, "stores", "id")
    entries = entries.select(game_id=entries["id"], item_id=entries["item"]["store"]["id"])
    return _bridge(entries, BRIDGE_GAME_STORE)


def bridge_game_genre(latest: Table) -> Table:
    """Return the genres of the latest version; their order is an artefact of the listing."""
    entries = unnest_list(latest, "genres", "id")
    entries = entries.select(game_id=entries["id"], item_id=entries["item"]["id"])
    return _bridge(entries, BRIDGE_GAME_GENRE)


def bridge_game_tag(latest: Table, last_filtered: Table) -> Table:
    """Return the tags: Russian ones from the last filtered row, all others from the latest.

    Only filtered rows carry Russian tags, so a browse row must not take them away.
    """
    current, filtered = _tags(latest), _tags(last_filtered)
    others = current.filter(~current["is_russian"])
    russian = filtered.filter(filtered["is_russian"])
    return _bridge(ibis.union(others, russian), BRIDGE_GAME_TAG)


def _platforms(games: Table) -> Table:
    entries = unnest_list(games, "platforms", "id")
    item = entries["item"]
    entries = entries.select(
        game_id=entries["id"],
        item_id=item["platform"]["id"],
        released_on=strict_date(item["released_at"]),
    )
    return entries.filter(entries["item_id"].notnull())


def _tags(games: Table) -> Table:
    entries = unnest_list(games, "tags", "id")
    return entries.select(
        game_id=entries["id"],
        item_id=entries["item"]["id"],
        is_russian=(entries["item"]["language"] == RUSSIAN).fill_null(False),
    )


def _bridge(entries: Table, declared: StarTable) -> Table:
    known = entries.filter(entries["item_id"].notnull()).select("game_id", "item_id").distinct()
    key = declared.key[1]
    return shape(known.mutate(**{key: surrogate_key(known["item_id"])}), declared)
