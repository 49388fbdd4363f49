"""One page of `/api/games`, in either envelope."""

import json
from typing import Any

from simulator.catalogue import Catalogue
from simulator.config import Knobs, Lies
from simulator.query import ListingQuery, link
from simulator.selector import Selector

INVALID_PAGE = b'{"detail":"Invalid page."}'
_FILTERED_TAIL = b'],"user_platforms":false}'
NEXT_ERROR = "page_that_errors"
_HONEST = Lies()


class Listings:
    """Builds pages; the browse envelope's year facets are kept until the catalogue changes."""

    def __init__(self, catalogue: Catalogue, selector: Selector, knobs: Knobs) -> None:
        self._catalogue = catalogue
        self._selector = selector
        self._knobs = knobs
        self._tail = (-1, b"")

    def page(self, query: ListingQuery, base: str) -> bytes | None:
        """Return the page's body, or None when there is no such page."""
        lies = self._knobs.lies if self._knobs.lies.match in query.text else _HONEST
        found = self._selector.select(query.selection)[: 0 if lies.empty_listing else None]
        size = min(query.page_size, lies.page_cap)
        reachable = self._reachable(query, len(found), size, lies)
        if query.page < 1 or (query.page > 1 and (query.page - 1) * size >= reachable):
            return None
        served = query.page - 1 if query.page - 1 == lies.repeat_page else query.page
        offset = (max(served, 1) - 1) * size
        rows = self._catalogue.rows(query.shape, found[offset : min(offset + size, reachable)])
        following = None
        if query.page * size < reachable and query.page != lies.null_next_page:
            broken = query.page == lies.next_error_page
            target = base.replace("/games", f"/{NEXT_ERROR}") if broken else base
            following = link(target, query.params, query.page + 1)
        previous = link(base, query.params, query.page - 1) if query.page > 1 else None
        head = (
            f'{{"count":{len(found) + lies.count_lie},"next":{_quoted(following)},'
            f'"previous":{_quoted(previous)},"results":['
        )
        tail = _FILTERED_TAIL if query.shape == "filtered" else self._browse_tail()
        return b"".join((head.encode(), b",".join(rows), tail))

    def _reachable(self, query: ListingQuery, total: int, size: int, lies: Lies) -> int:
        if query.shape == "filtered":
            total = min(total, self._knobs.depth_limit)
        return min(total, lies.end_page * size) if lies.end_page else total

    def _browse_tail(self) -> bytes:
        revision, tail = self._tail
        if revision != self._catalogue.revision:
            envelope = _seo() | {"filters": {"years": _decades(self._catalogue.year_counts())}}
            envelope["nofollow_collections"] = ["stores"]
            tail = b"]," + json.dumps(envelope, separators=(",", ":")).encode()[1:]
            self._tail = (self._catalogue.revision, tail)
        return tail


def _quoted(address: str | None) -> str:
    return f'"{address}"' if address else "null"


def _seo() -> dict[str, Any]:
    return {
        "seo_title": "All Games",
        "seo_description": "",
        "seo_keywords": "",
        "seo_h1": "All Games",
        "noindex": False,
        "nofollow": False,
        "description": "",
    }


def _decades(years: dict[int, int]) -> list[dict[str, Any]]:
    found = []
    for decade in sorted({year // 10 * 10 for year in years}, reverse=True):
        inside = [year for year in years if decade <= year < decade + 10]
        last = max(inside) if decade == max(years) // 10 * 10 else decade + 9
        found.append(
            {
                "from": decade,
                "to": last,
                "filter": f"{decade}-01-01,{last}-12-31",
                "decade": decade,
                "years": [{"year": y, "count": years[y], "nofollow": y < 2018} for y in inside],
                "nofollow": True,
                "count": sum(years[y] for y in inside),
            }
        )
    return found
