"""What changed since the watermark: the browse listing by `updated`, newest first.

Pages are asked for one after the other. While this listing is read, games that change move to its
front and push the others down, so a row may be seen twice but never slips by. Pages asked for at
the same time would lose the rows pushed from one to the next, and no count would tell.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ingestion.rawg_fetcher import ListingQuery, Page, RowHead
from ingestion.reading import Limits, Reading, Verdict
from ingestion.windows import Window
from storage.database.repositories.windows import WindowRow

OVERLAP = timedelta(days=1)
NEWEST_FIRST = ListingQuery.browse("-updated")


def cutoff(watermark: str) -> str:
    """Return the oldest `updated` to read again: the watermark less the overlap."""
    return (datetime.fromisoformat(watermark) - OVERLAP).isoformat(timespec="seconds")


def newest_of(page: Page, now: datetime) -> str | None:
    """Return the newest `updated` of a page, or `now` when the source dates it into the future."""
    known = [head.updated for head in page.rows if head.updated is not None]
    latest = now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    return min(max(known), latest) if known else None


class DeltaReading(Reading):
    """Reads from the newest change down to `window.first`."""

    def __init__(self, first: str, last: str, limits: Limits) -> None:
        super().__init__(Window("delta", "delta", first, last), NEWEST_FIRST, limits)
        self._catalogue = 0
        self._oldest: str | None = None  # `updated` of the last row on the page read last
        self._back_to: str | None = None

    def resume(self, row: WindowRow, pages: Iterable[int]) -> None:
        """Go on at the last page read: it tells whether rows moved up meanwhile."""
        self.rolled, self._before = set(pages), row.fetched
        last = max(self.rolled, default=1)
        page, _, reached = row.note.partition(" ")
        self._back_to = reached if page == str(last) else None
        self.wanted.clear()
        self.wanted.append(last)

    def expected(self) -> int:
        """Return what was read: the source does not count changes."""
        return self.fetched

    def keep(self, head: RowHead) -> bool:
        """Leave out rows older than the overlap."""
        return head.updated is None or head.updated >= self.window.first

    def absorb(self, number: int, page: Page, stored: list[int] | None) -> None:
        """Step to the next page, or back when rows moved up past where we stopped."""
        super().absorb(number, page, stored)
        if self._ended is not None:
            return
        known = [head.updated for head in page.rows if head.updated is not None]
        self._catalogue = page.count
        if number == self.last_read():
            self._oldest = known[-1] if known else self._oldest
        if self._back_to and number > 1 and known and known[0] < self._back_to:
            self.wanted.append(number - 1)
            return
        self._back_to = None
        self._step(self.last_read())

    def settle(self) -> Verdict:
        """Read a page again when rows behind it vanished; done when the end was seen."""
        if self._unreadable:
            return self._retry_unreadable()
        if self._ended is not None and not self._at_catalogue_end(self._ended - 1):
            return self._ended_too_soon()
        if (edges := self._moved()) and self._want("edges", edges, passes=5):
            return Verdict.MORE
        self.api_count = self.fetched
        return Verdict.DONE

    def memo(self) -> str:
        """Return how far down it has read, for a process that goes on later."""
        return self.note or f"{self.last_read()} {self._oldest or ''}"

    def _step(self, number: int) -> None:
        older = self._oldest is not None and self._oldest < self.window.first
        if not older and not self._at_catalogue_end(number):
            self.wanted.append(number + 1)

    def _at_catalogue_end(self, number: int) -> bool:
        return number * self.size >= self._catalogue

    def _ended_too_soon(self) -> Verdict:
        page, self._ended = self._ended, None
        if page is not None and self._want("end", {page}):
            return Verdict.MORE
        return self._give_up(f"ends after page {self.last_read()}")

    def _learn(self, number: int, page: Page) -> None:
        super()._learn(number, page)
        self.api_count = None

    def _plan_rest(self) -> None:
        """Pages follow from what the last one held."""
