"""The RAWG client: one page or look-up at a time, polite, patient, and silent about the key.

Source: contracts/rawg.md. What comes back is the text of the rows as the source sent it; reading
them into typed rows is `ingestion.rows`. Every outcome is a `Page`, or one of

    QuotaSpent       the month's requests are used up (exit 4)
    PageUnreadable   the source is up, this page stays broken; the run goes on, incomplete
    SourceError      wrong key, unreachable, or down (exit 3)
    Stopped          the stop event was set while waiting (exit 130)
"""

import threading
from collections.abc import Callable
from typing import Self

from ingestion import json_slices
from ingestion.http_exchange import Answer, Failure
from ingestion.rawg_pages import (
    KeyEraser,
    ListingQuery,
    Page,
    PageUnreadable,
    RowHead,
    read_page,
)
from ingestion.rawg_requests import FetchListener, RawgRequests, SilentFetch
from utils.clock import Clock
from utils.config import Settings

__all__ = ["FetchListener", "ListingQuery", "Page", "PageUnreadable", "RawgClient", "RowHead"]

PAGE_SIZE = 40  # the most that RAWG gives
_LOOKUP_PATHS = {
    "platforms": "platforms",
    "parent_platforms": "platforms/lists/parents",
    "stores": "stores",
    "genres": "genres",
}
_MOST_LOOKUP_PAGES = 100


class RawgClient:
    """Thread-safe; one instance a run. `budget(1)` is called before every request."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        budget: Callable[[int], None],
        stop: threading.Event,
        listener: FetchListener | None = None,
        key_has_worked: bool = False,
    ) -> None:
        self._erase = KeyEraser(settings.rawg_api_key.get_secret_value())
        self._requests = RawgRequests(
            settings,
            clock=clock,
            budget=budget,
            stop=stop,
            listener=listener or SilentFetch(),
            key_has_worked=key_has_worked,
        )

    @property
    def key_has_worked(self) -> bool:
        """True once the key was accepted, here or (as told) in an earlier run."""
        return self._requests.key_has_worked

    def page(self, query: ListingQuery, number: int, *, page_size: int = PAGE_SIZE) -> Page:
        """Fetch page `number` (from 1) of `query`."""
        params = dict(query.params) | {"page": str(number), "page_size": str(page_size)}
        return self._page("games", params, query, number)

    def lookup(self, entity: str) -> bytes:
        """Fetch all rows of a look-up, as one JSON array for `ingestion.lookups.read_lookup`.

        PageUnreadable then carries the query `lookup=<entity>`.
        """
        query = ListingQuery((("lookup", entity),))
        rows: list[bytes] = []
        for number in range(1, _MOST_LOOKUP_PAGES + 1):
            page = self._page(_LOOKUP_PATHS[entity], {"page": str(number)}, query, number)
            rows += json_slices.elements(page.results)
            if not page.has_next:
                break
        return b"[" + b",".join(rows) + b"]"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._requests.close()

    def _page(self, path: str, params: dict[str, str], query: ListingQuery, number: int) -> Page:
        def read(answer: Answer) -> Page:
            return read_page(answer, query, number, erase=self._erase)

        result = self._requests.get(path, params, read)
        if isinstance(result, Failure):
            raise PageUnreadable(query, number, result.reason, result.excerpt)
        return result
