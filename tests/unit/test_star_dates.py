"""dim_date: gapless, ISO weeks, and no explosion on a junk year."""

from datetime import date, timedelta
from typing import Any

import pytest
from raw_builder import game
from star_builder import build, table

NO_UPDATE = {"updated": None}


def _day(rows: list[dict[str, Any]], day: date) -> dict[str, Any]:
    return next(row for row in rows if row["full_date"] == day)


def test_it_runs_without_gaps_over_the_years_used() -> None:
    games = [game(1, released="2019-06-30", updated="2021-02-01T00:00:00")]

    rows = table("dim_date", games)

    days = [row["full_date"] for row in rows]
    assert days == [date(2019, 1, 1) + timedelta(n) for n in range(365 + 366 + 365)]
    assert rows[0]["date_key"] == 20190101


def test_days_of_older_versions_stay() -> None:
    games = [
        game(1, at=1, released="2001-05-05", **NO_UPDATE),
        game(1, at=2, released="2003-05-05", **NO_UPDATE),
    ]

    assert {row["year_number"] for row in table("dim_date", games)} == {2001, 2002, 2003}


@pytest.mark.parametrize("junk", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31", "soon"])
def test_junk_years_add_no_days(junk: str) -> None:
    games = [game(1, released=junk, **NO_UPDATE), game(2, released="2020-01-01", **NO_UPDATE)]

    assert len(table("dim_date", games)) == 366


def test_without_any_date_there_is_only_the_unknown_day() -> None:
    [row] = build([game(1, **NO_UPDATE)], only=("dim_date",))["dim_date"]

    assert row.pop("date_key") == 0
    assert (row.pop("month_name"), row.pop("day_name")) == ("Unknown", "Unknown")
    assert set(row.values()) == {None}


@pytest.mark.parametrize(
    ("day", "week", "name", "weekend"),
    [
        (date(2021, 1, 1), 53, "Friday", False),
        (date(2020, 12, 31), 53, "Thursday", False),
        (date(2021, 1, 3), 53, "Sunday", True),
        (date(2021, 1, 4), 1, "Monday", False),
    ],
)
def test_weeks_are_iso(day: date, week: int, name: str, weekend: bool) -> None:
    rows = table("dim_date", [game(1, released=day.isoformat(), **NO_UPDATE)])

    row = _day(rows, day)
    assert (row["week_of_year"], row["day_of_week"]) == (week, day.isoweekday())
    assert (row["day_name"], row["is_weekend"]) == (name, weekend)
    assert (row["month_name"], row["quarter_number"]) == (day.strftime("%B"), (day.month + 2) // 3)
