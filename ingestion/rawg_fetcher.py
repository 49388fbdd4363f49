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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from storage import layout
from utils.config import Settings
from utils.errors import SourceError

if TYPE_CHECKING:
    from utils.clock import Clock

PAGE_SIZE = 40


@dataclass(frozen=True)
class ListingQuery:
    """One listing of /games: its parameters without key, page and page_size."""

    params: tuple[tuple[str, str], ...] = ()

    @classmethod
    def dates(cls, first: str, last: str, ordering: str = "created") -> "ListingQuery":
        """Games released from `first` to `last` (YYYY-MM-DD, both included)."""
        return cls((("dates", f"{first},{last}"), ("ordering", ordering)))

    @classmethod
    def browse(cls, ordering: str) -> "ListingQuery":
        """The whole catalogue, in the order of `ordering` (such as `-updated`)."""
        return cls((("ordering", ordering),))

    @property
    def listing(self) -> str:
        """Listing that is expected to answer; `Page.listing` says which one did."""
        return (
            layout.BROWSE if {name for name, _ in self.params} <= {"ordering"} else layout.FILTERED
        )

    @property
    def name(self) -> str:
        """Short text for windows and messages, such as `dates=2020-01-01,2020-12-31`."""
        shown = [f"{name}={value}" for name, value in self.params]
        return "&".join(shown) or layout.BROWSE


@dataclass(frozen=True)
class RowHead:
    """What the crawl itself needs of a row; None where the row lacks it or has a wrong type."""

    natural_id: int | None
    updated: str | None
    released: str | None


@dataclass(frozen=True)
class Page:
    """One answered page of a listing."""

    query: ListingQuery
    number: int
    count: int  # the source's own total for the query; 0 when past_end
    rows: tuple[RowHead, ...]  # one for each row, in order, broken rows included
    results: bytes  # JSON array of the rows, verbatim but free of the key
    listing: str  # layout.BROWSE or layout.FILTERED, as answered
    has_next: bool
    past_end: bool  # the source said that there is no such page


class PageUnreadable(SourceError):
    """A page that gave no readable answer although the source is up."""

    code = "unreadable"

    def __init__(self, query: ListingQuery, number: int, reason: str, excerpt: str) -> None:
        super().__init__(
            f"page {number} of {query.name} stayed unreadable: {reason}",
            operation="fetch page",
            subject=f"{query.name} page {number}",
            hint="what was read is stored; the next ingest tries this page again",
        )
        self.query = query
        self.number = number
        self.reason = reason
        self.excerpt = excerpt


class FetchListener(Protocol):
    """Hears what the client does; called from worker threads."""

    def requested(self) -> None:
        """Tell that one request is about to be sent."""

    def retried(self, reason: str) -> None:
        """Tell that a request failed and will be sent again."""


class RawgClient:
    """Thread-safe; one instance a run. `budget(1)` is called before every request it counts."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: "Clock",
        budget: Callable[[int], None],
        stop: threading.Event,
        listener: FetchListener | None = None,
        key_has_worked: bool = False,
    ) -> None:
        raise NotImplementedError

    @property
    def key_has_worked(self) -> bool:
        """True once the key was accepted, here or (as told) in an earlier run."""
        raise NotImplementedError

    def page(self, query: ListingQuery, number: int, *, page_size: int = PAGE_SIZE) -> Page:
        """Fetch page `number` (from 1) of `query`."""
        raise NotImplementedError

    def lookup(self, entity: str) -> bytes:
        """Fetch all rows of a look-up, as one JSON array for `ingestion.lookups.read_lookup`."""
        raise NotImplementedError

    def close(self) -> None:
        """Close every connection."""
        raise NotImplementedError
