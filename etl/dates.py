"""dim_date: every day from the first to the last year used, and the Unknown day. Pure Ibis."""

import ibis
from ibis.expr.types import Table

from etl.expressions import (
    UNKNOWN_KEY,
    UNKNOWN_NAME,
    date_key,
    in_calendar,
    shape,
    strict_date,
    strict_timestamp,
    unknown_row,
)
from etl.iceberg_schemas import DIM_DATE


def days_observed(games: Table) -> Table:
    """Return the days (`day`) that any observed version of a game was released or updated on.

    Every version counts, not only the latest, so that the calendar never shrinks.
    """
    released = games.select(day=strict_date(games["released"]))
    updated = games.select(day=strict_timestamp(games["updated"]).date())
    return ibis.union(released, updated)


def days_published(dim_date: Table) -> Table:
    """Return the days (`day`) of a published calendar."""
    return dim_date.select(day=dim_date["full_date"])


def dim_date(days: Table) -> Table:
    """Return the calendar without gaps from the first to the last year of `days`.

    NULL and days outside CALENDAR_YEARS are ignored: one junk year must not add millions of rows.
    """
    rows = _every_day(days)
    day, weekday = rows["day"], rows["day"].day_of_week
    numbers = {
        "year_number": day.year(),
        "quarter_number": day.quarter(),
        "month_number": day.month(),
        "week_of_year": day.week_of_year(),
        "day_of_month": day.day(),
        "day_of_week": weekday.index() + 1,
    }
    # Ibis takes parts of a date for INT already and would leave the cast to INT out, but DuckDB
    # gives BIGINT: by way of BIGINT every engine ends with INT.
    calendar = rows.select(
        **{name: number.cast("int64") for name, number in numbers.items()},
        date_key=date_key(day),
        full_date=day,
        month_name=day.strftime("%B"),
        day_name=weekday.full_name(),
        is_weekend=weekday.index() >= 5,
    )
    unknown = unknown_row(
        DIM_DATE,
        {"date_key": UNKNOWN_KEY, "month_name": UNKNOWN_NAME, "day_name": UNKNOWN_NAME},
    )
    return ibis.union(shape(calendar, DIM_DATE), unknown)


def _every_day(days: Table) -> Table:
    used = days.filter(in_calendar(days["day"]))
    years = used.agg(first=used["day"].min().year(), last=used["day"].max().year())
    first = ibis.date(years["first"], 1, 1).cast("timestamp")
    after = ibis.date(years["last"] + 1, 1, 1).cast("timestamp")
    moments = ibis.range(first, after, ibis.interval(days=1)).unnest()
    return years.select(day=moments).mutate(day=lambda t: t["day"].date())
