"""From a query string to a selection and a page; and back to `next` and `previous`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from simulator.columns import FACETS
from simulator.config import FILTERS_ALONE, MAX_PAGE_SIZE, Knobs
from simulator.selector import ORDERINGS, Range, Selection
from simulator.shapes import Shape

DEFAULT_PAGE_SIZE = 20
_ALWAYS_FILTERED = ("dates", "updated", "search")
_EPOCH = date(1970, 1, 1)
Slugs = dict[str, dict[str, int]]  # facet -> slug -> id


@dataclass(frozen=True)
class ListingQuery:
    """A parsed listing request; `page` is 0 when it was no positive number, `text` the query."""

    text: str
    shape: Shape
    selection: Selection
    page: int
    page_size: int
    params: tuple[tuple[str, str], ...]


def parse_listing(query: str, knobs: Knobs, slugs: Slugs) -> ListingQuery:
    """Read the parameters as RAWG does: what it cannot read, it ignores."""
    params = dict(parse_qsl(query))
    size = min(number(params.get("page_size", "")) or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    return ListingQuery(
        text=query,
        shape=_shape(params, knobs),
        selection=_selection(params, slugs),
        page=number(params.get("page", "1")) or 0,
        page_size=size,
        params=tuple(sorted(params.items())),
    )


def link(base: str, params: tuple[tuple[str, str], ...], page: int) -> str:
    """Return the address of another page: all parameters, key included, sorted and url-encoded."""
    others = [(name, value) for name, value in params if name != "page"]
    if page > 1:
        others.append(("page", str(page)))
    return f"{base}?{urlencode(sorted(others))}"


def _shape(params: dict[str, str], knobs: Knobs) -> Shape:
    if any(params.get(name) for name in _ALWAYS_FILTERED):
        return "filtered"
    alone = [name for name in FILTERS_ALONE if params.get(name)]
    return "filtered" if any(name not in knobs.browse_filters for name in alone) else "browse"


def _selection(params: dict[str, str], slugs: Slugs) -> Selection:
    ordering = params.get("ordering", "")
    return Selection(
        ordering=ordering if ordering.removeprefix("-") in ORDERINGS else "",
        dates=_ranges(params.get("dates", "")),
        updated=tuple(
            (a * 86_400, b * 86_400 + 86_399) for a, b in _ranges(params.get("updated", ""))
        ),
        metacritic=_scores(params.get("metacritic", "")),
        search=params.get("search", "").strip().casefold(),
        exact=params.get("search_exact", "").lower() in ("1", "true"),
        facets=tuple(
            (name, _ids(params[name], slugs.get(name, {}))) for name in FACETS if params.get(name)
        ),
    )


def number(text: str) -> int | None:
    """Read a non-negative number of at most 18 digits, else None."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def _ranges(text: str) -> tuple[Range, ...]:
    """Read `a,b` day ranges joined by '.'; a part that is no range selects nothing."""
    return tuple(_range(part) for part in text.split(".")) if text else ()


def _range(text: str) -> Range:
    try:
        first, last = (date.fromisoformat(day) for day in text.split(","))
    except ValueError:
        return (0, -1)
    return ((first - _EPOCH).days, (last - _EPOCH).days)


def _scores(text: str) -> tuple[Range, ...]:
    low, high = (number(part) for part in (text.partition(",")[0], text.partition(",")[2]))
    return () if low is None or high is None else ((low, high),)


def _ids(text: str, slugs: dict[str, int]) -> tuple[int, ...]:
    """Read ids or slugs; what is neither matches no game."""
    numbers = ((part, number(part)) for part in text.split(","))
    return tuple(slugs.get(part, -1) if n is None else min(n, 2**31 - 1) for part, n in numbers)


def stamp(seconds: int) -> str:
    """Return RAWG's form of a time in seconds since 1970: no zone, no fraction."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
