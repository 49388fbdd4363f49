"""One page of `/api/games`, in either envelope."""

import json
from typing import Any

from simulator.catalogue import Catalogue
from simulator.config import Knobs
from simulator.query import ListingQuery, link

INVALID_PAGE = b'{"detail":"Invalid page."}'
_FILTERED_TAIL = b'],"user_platforms":false}'
NEXT_ERROR = "page_that_errors"


class Listings:
    """Builds pages; the browse envelope's year facets are kept until the catalogue changes."""

    def __init__(self, catalogue: Catalogue, knobs: Knobs) -> None:
        self._catalogue = catalogue
        self._knobs = knobs
        self._tail = (-1, b"")

    def page(self, query: ListingQuery, base: str) -> bytes | None:
        """Return the page's body, or None when there is no such page."""
        found = self._catalogue.select(query.selection)
        if self._knobs.empty_listing:
            found = found[:0]
        reachable = self._reachable(query, len(found))
        offset = (self._served_page(query.page) - 1) * query.page_size
        if query.page < 1 or (query.page > 1 and (query.page - 1) * query.page_size >= reachable):
            return None
        rows = self._catalogue.rows(
            query.shape, found[offset : min(offset + query.page_size, reachable)]
        )
        more = query.page * query.page_size < reachable
        head = f'{{"count":{len(found) + self._knobs.count_lie},"next":'.encode()
        tail = _FILTERED_TAIL if query.shape == "filtered" else self._browse_tail()
        return b"".join((head, self._links(query, base, more=more), b",".join(rows), tail))

    def _reachable(self, query: ListingQuery, total: int) -> int:
        if query.shape == "filtered":
            total = min(total, self._knobs.depth_limit)
        if last := self._knobs.early_null_page:
            total = min(total, last * query.page_size)
        return total

    def _served_page(self, page: int) -> int:
        repeated = self._knobs.repeat_page
        return repeated if repeated and page == repeated + 1 else page

    def _links(self, query: ListingQuery, base: str, *, more: bool) -> bytes:
        following = previous = "null"
        if more:
            target = base
            if query.page == self._knobs.next_error_page:
                target = base.replace("/games", f"/{NEXT_ERROR}")
            following = f'"{link(target, query.params, query.page + 1)}"'
        if query.page > 1:
            previous = f'"{link(base, query.params, query.page - 1)}"'
        return f'{following},"previous":{previous},"results":['.encode()

    def _browse_tail(self) -> bytes:
        revision, tail = self._tail
        if revision != self._catalogue.revision:
            envelope = _seo() | {"filters": {"years": _decades(self._catalogue.year_counts())}}
            envelope["nofollow_collections"] = ["stores"]
            tail = b"]," + json.dumps(envelope, separators=(",", ":")).encode()[1:]
            self._tail = (self._catalogue.revision, tail)
        return tail


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
