"""Spans of days, and how a busy one is split: decades, years, months, weeks, days."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

Kind = Literal["dates", "undated", "browse", "popular", "day", "delta"]

_DAY = timedelta(days=1)
# Games are dated from the 1950s on. A listing of everything is first cut by the decades in which
# games were made, so that the centuries around them cost one request each.
_DECADES = tuple(date(year, 1, 1) for year in range(1970, 2041, 10))
_LONG_YEARS = 50


@dataclass(frozen=True)
class Window:
    """A part of the source that is read on its own; `first` and `last` are ISO dates or empty."""

    name: str
    kind: Kind
    first: str = ""
    last: str = ""


@dataclass(frozen=True, order=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, first: str, last: str) -> "Span":
        """Read two ISO dates."""
        return cls(date.fromisoformat(first), date.fromisoformat(last))

    @property
    def window(self) -> Window:
        """The window of the games released in this span."""
        first, last = self.first.isoformat(), self.last.isoformat()
        return Window(f"dates:{first}..{last}", "dates", first, last)

    def split(self) -> tuple["Span", ...]:
        """Cut into the coarsest calendar pieces of which there are at least two; a day into none.

        The pieces are disjoint, in order, and together exactly this span.
        """
        if self.first == self.last:
            return ()
        if self.last.year - self.first.year > _LONG_YEARS:
            cuts = [cut for cut in _DECADES if self.first < cut <= self.last]
            if cuts:
                return tuple(self._cut_at(cuts))
        return next(
            pieces for starts in _STARTS if len(pieces := tuple(self._cut_at(starts(self)))) > 1
        )

    def _cut_at(self, cuts: list[date]) -> Iterator["Span"]:
        firsts = [self.first, *cuts]
        lasts = [*(cut - _DAY for cut in cuts), self.last]
        return (Span(first, last) for first, last in zip(firsts, lasts, strict=True))


EVERYTHING = Span(date(1000, 1, 1), date(9999, 12, 31))


def _years(size: int) -> Callable[[Span], list[date]]:
    def starts(span: Span) -> list[date]:
        first = span.first.year // size * size + size
        return [date(year, 1, 1) for year in range(first, span.last.year + 1, size)]

    return starts


def _months(span: Span) -> list[date]:
    return [day for day in _days(span) if day.day == 1]


def _weeks(span: Span) -> list[date]:
    weeks = groupby(_days(span, skip=0), key=lambda day: (day.year, day.month, (day.day - 1) // 7))
    return [next(days) for _, days in weeks][1:]


def _days(span: Span, skip: int = 1) -> list[date]:
    length = (span.last - span.first).days + 1
    return [span.first + offset * _DAY for offset in range(skip, length)]


# Finer cuts list every day: by then a span is at most a year long.
_STARTS = (_years(1000), _years(100), _years(10), _years(1), _months, _weeks, _days)
