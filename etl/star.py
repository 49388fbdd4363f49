"""The whole star as one mapping from table name to definition. Pure Ibis."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
from ibis.expr.types import Table

from etl import bridges, dates, dimensions
from etl.fact import fact_games
from etl.history import fact_game_history
from etl.iceberg_schemas import (
    DIM_ESRB_RATING,
    DIM_GENRE,
    DIM_PLATFORM,
    DIM_STORE,
    DIM_TAG,
    StarTable,
)
from etl.source_years import fact_source_years
from etl.versions import rows_of


@dataclass(frozen=True)
class StarInputs:
    """What the star is made of; the raw tables of games and look-ups carry `version`.

    games: every raw row of the games whose rows are wanted
    picks: their picked versions
    observed: the raw game rows that dimensions are to learn from
    lookups: by entity, the raw look-up rows that dimensions are to learn from
    parent_platforms: every raw row of that look-up
    year_counts: every raw row of the source's own counts
    published: by name, the dimensions to build upon; None builds from raw alone
    """

    games: Table
    picks: Table
    observed: Table
    lookups: Mapping[str, Table]
    parent_platforms: Table
    year_counts: Table
    published: Mapping[str, Table] | None = None


def build_star(inputs: StarInputs) -> dict[str, Table]:
    """Return the definition of every table of the star, keyed by its name."""
    return {**_dimensions(inputs), **_facts(inputs), **_bridges(inputs)}


def _facts(inputs: StarInputs) -> dict[str, Table]:
    return {
        "fact_games": fact_games(rows_of(inputs.games, inputs.picks, "latest")),
        "fact_game_history": fact_game_history(inputs.games),
        "fact_source_years": fact_source_years(inputs.year_counts),
    }


def _bridges(inputs: StarInputs) -> dict[str, Table]:
    latest, browse, filtered = (
        rows_of(inputs.games, inputs.picks, which)
        for which in ("latest", "last_browse", "last_filtered")
    )
    return {
        "bridge_game_platform": bridges.bridge_game_platform(latest, browse),
        "bridge_game_store": bridges.bridge_game_store(latest),
        "bridge_game_genre": bridges.bridge_game_genre(latest),
        "bridge_game_tag": bridges.bridge_game_tag(latest, filtered),
    }


def _dimensions(inputs: StarInputs) -> dict[str, Table]:
    games, lookups = inputs.observed, inputs.lookups
    platforms = dimensions.lookup_observed(lookups["platforms"])
    stores = dimensions.lookup_observed(lookups["stores"], "domain")
    genres = dimensions.lookup_observed(lookups["genres"])
    return {
        "dim_date": dates.dim_date(_days(inputs)),
        "dim_platform": dimensions.dim_platform(
            _said(inputs, DIM_PLATFORM, dimensions.platforms_observed(games), platforms),
            inputs.parent_platforms,
        ),
        "dim_store": dimensions.dim_store(
            _said(inputs, DIM_STORE, dimensions.stores_observed(games), stores)
        ),
        "dim_genre": dimensions.dim_genre(
            _said(inputs, DIM_GENRE, dimensions.genres_observed(games), genres)
        ),
        "dim_tag": dimensions.dim_tag(_said(inputs, DIM_TAG, dimensions.tags_observed(games))),
        "dim_esrb_rating": dimensions.dim_esrb_rating(
            _said(inputs, DIM_ESRB_RATING, dimensions.esrb_ratings_observed(games))
        ),
    }


def _said(inputs: StarInputs, declared: StarTable, *parts: Table) -> Table:
    """Return all observations of a dimension, what is published being the oldest."""
    if inputs.published is None:
        return ibis.union(*parts)
    known = dimensions.published_observed(inputs.published[declared.name], declared)
    return ibis.union(known, *parts)


def _days(inputs: StarInputs) -> Table:
    days = dates.days_observed(inputs.observed)
    if inputs.published is None:
        return days
    return ibis.union(dates.days_published(inputs.published["dim_date"]), days)
