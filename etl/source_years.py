"""fact_source_years: how many games the source itself has of each release year. Pure Ibis."""

import ibis
from ibis.expr.types import Table

from etl.expressions import SOURCE_CODE, UNKNOWN_KEY, shape
from etl.iceberg_schemas import FACT_SOURCE_YEARS


def fact_source_years(year_counts: Table) -> Table:
    """Return the rows that were observed last; `year_counts` is every raw row.

    An observation names every year, so it replaces the one before as a whole.
    """
    # Two steps: Spark has no QUALIFY, which Ibis would make of one.
    seen = year_counts.mutate(newest=year_counts["_fetched_at"].max().over(ibis.window()))
    newest = seen.filter(seen["_fetched_at"] == seen["newest"])
    return shape(
        newest.select(
            "source_games",
            release_year_key=newest["release_year"].fill_null(UNKNOWN_KEY),
            observed_at=newest["_fetched_at"].cast("timestamp(6)"),
            source_code=ibis.literal(SOURCE_CODE),
            run_id=newest["_run_id"],
        ),
        FACT_SOURCE_YEARS,
    )
