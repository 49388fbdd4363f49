"""Small Ibis expressions that several table definitions share. Pure: no storage, no clock."""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import (
    BooleanValue,
    DateValue,
    IntegerValue,
    StringValue,
    Table,
    TimestampValue,
    Value,
)

from etl.iceberg_schemas import Column, StarTable

SOURCE_CODE = "rawg"
SOURCE_ORDINAL = 1
KEYS_PER_SOURCE = 10**10
UNKNOWN_KEY = 0
UNKNOWN_NAME = "Unknown"

# dim_date runs without gaps, so one junk year (0001, 9999) would add millions of days. A date
# outside these years keeps its value in the fact, has key 0, and is flagged by a check.
CALENDAR_YEARS = (1900, 2199)

# Not ^ and $: for Java, and so for Spark, $ also matches before a line break at the end.
_DATE_FORM = r"\A\d{4}-\d{2}-\d{2}\z"
_TIMESTAMP_FORM = r"\A\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\z"


def surrogate_key(natural_id: IntegerValue) -> IntegerValue:
    """Return source ordinal x 10^10 + id, or the Unknown key where the id is NULL."""
    return (natural_id + SOURCE_ORDINAL * KEYS_PER_SOURCE).fill_null(UNKNOWN_KEY)


def strict_date(text: StringValue) -> DateValue:
    """Parse `YYYY-MM-DD`; anything else, and days that do not exist, are NULL."""
    return ibis.ifelse(_has_form(text, _DATE_FORM), text.try_cast("date"), None)


def strict_timestamp(text: StringValue) -> TimestampValue:
    """Parse `YYYY-MM-DDTHH:MM:SS` (UTC, as RAWG sends it); anything else is NULL."""
    return ibis.ifelse(_has_form(text, _TIMESTAMP_FORM), text.try_cast("timestamp(6)"), None)


def _has_form(text: StringValue, form: str) -> BooleanValue:
    """Engines know a year 0, Python does not, and its readers would stumble over it."""
    return text.re_search(form) & (text >= "0001")


def in_calendar(day: DateValue) -> BooleanValue:
    """Return whether `day` is one that dim_date can hold; NULL where it is NULL."""
    first, last = CALENDAR_YEARS
    return day.year().between(first, last)


def date_key(day: DateValue) -> IntegerValue:
    """Return yyyymmdd as BIGINT; 0 where the day is NULL or outside CALENDAR_YEARS."""
    number = day.year().cast("int64") * 10_000 + day.month() * 100 + day.day()
    return ibis.ifelse(in_calendar(day), number, UNKNOWN_KEY)


def differs(left: Value, right: Value) -> BooleanValue:
    """Return whether two values differ, taking NULL as a value of its own."""
    return ~left.identical_to(right)


def shape(table: Table, declared: StarTable) -> Table:
    """Give the columns of `table` the declared order and types, and drop all others."""
    return table.select(
        **{column.name: table[column.name].cast(_ibis_type(column)) for column in declared.columns}
    )


def unnest_list(table: Table, column: str, *keep: str) -> Table:
    """Return one row an entry of the list `column` as `item`, beside the columns `keep`."""
    return table.select(*keep, item=table[column].unnest())


def latest_values(observations: Table, key: str, columns: Sequence[str]) -> Table:
    """Return one row a `key` with the last known value of each column, by `version`.

    NULL says nothing: it never replaces what an earlier observation knew. Of two values in one
    observation (a member listed twice in one game) the greater wins, so that order plays no part.
    """
    version = observations["version"]
    last = {
        f"{name}_at": version.max(where=observations[name].notnull()).over(group_by=key)
        for name in columns
    }
    known = observations.mutate(**last)
    return known.group_by(key).agg(
        **{name: known[name].max(where=known["version"] == known[f"{name}_at"]) for name in columns}
    )


def unknown_row(declared: StarTable, known: Mapping[str, int | str]) -> Table:
    """Return the one row that stands for 'Unknown': the values `known`, all others NULL."""
    one = ibis.literal([UNKNOWN_KEY]).unnest().name("one").as_table()
    return one.select(
        **{c.name: ibis.literal(known.get(c.name), _ibis_type(c)) for c in declared.columns}
    )


def _ibis_type(column: Column) -> dt.DataType:
    return dt.DataType.from_pyarrow(column.type)
