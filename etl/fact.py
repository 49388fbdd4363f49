"""fact_games: one row a game, its latest observed version. Pure Ibis."""

import ibis
from ibis.expr.types import ArrayValue, IntegerValue, Table, Value

from etl.expressions import (
    SOURCE_CODE,
    date_key,
    shape,
    strict_date,
    strict_timestamp,
    surrogate_key,
)
from etl.iceberg_schemas import FACT_GAMES

COVER_ID = -1  # the same id in every game: the cover, listed again as a screenshot
VOTES = {"exceptional": 5, "recommended": 4, "meh": 3, "skip": 1}
SHELVES = ("yet", "owned", "beaten", "toplay", "dropped", "playing")
COUNTS = {
    "ratings_count": "ratings_count",
    "reviews_count": "reviews_count",
    "reviews_text_count": "reviews_text_count",
    "added_count": "added",
    "suggestions_count": "suggestions_count",
}


def fact_games(latest: Table) -> Table:
    """Return the fact from the latest raw row of each game; counts left out are 0."""
    released = strict_date(latest["released"])
    updated = strict_timestamp(latest["updated"])
    return shape(
        latest.select(
            "slug",
            "name",
            "rating",
            "rating_top",
            game_id=latest["id"],
            release_date_key=date_key(released),
            updated_date_key=date_key(updated.date()),
            esrb_rating_key=surrogate_key(latest["esrb_rating"]["id"]),
            released_on=released,
            is_tba=latest["tba"],
            metacritic_score=latest["metacritic"],
            playtime_hours=latest["playtime"],
            background_image_url=latest["background_image"],
            source_updated_at=updated,
            source_code=ibis.literal(SOURCE_CODE),
            run_id=latest["_run_id"],
            payload_hash=latest["_payload_hash"],
            **_counts(latest),
        ),
        FACT_GAMES,
    )


def _counts(latest: Table) -> dict[str, Value]:
    plain = {name: latest[field] for name, field in COUNTS.items()}
    votes = {f"ratings_{name}": _votes(latest["ratings"], vote) for name, vote in VOTES.items()}
    shelves = {f"added_{name}": latest["added_by_status"][name] for name in SHELVES}
    shots = latest["short_screenshots"].filter(lambda shot: shot["id"] != COVER_ID).length()
    counts = {**plain, **votes, **shelves, "screenshots_count": shots}
    return {name: count.fill_null(0) for name, count in counts.items()}


def _votes(ratings: ArrayValue, vote: int) -> IntegerValue:
    return ratings.filter(lambda rating: rating["id"] == vote).map(lambda r: r["count"]).maxs()
