"""The kinds of windows: what each asks, which rows are its own, and where it ends."""

from collections import deque
from collections.abc import Iterable

from ingestion.rawg_fetcher import ListingQuery, Page, RowHead
from ingestion.reading import Limits, Reading, Verdict, is_trusted
from ingestion.windows import EVERYTHING, Span, Window
from storage.database.repositories.windows import WindowRow

UNDATED = Window("undated", "undated")
WHOLE_LISTING = Window("browse", "browse")
# Page numbers of a DayReading that ask for counts.
_PLACE, _OWN_COUNT = 0, -1


class DatesReading(Reading):
    """Games released in a span of days. Over the depth limit it is read in smaller spans."""

    def __init__(self, window: Window, limits: Limits, catalogue: int) -> None:
        super().__init__(window, ListingQuery.dates(window.first, window.last), limits)
        self.span = Span.of(window.first, window.last)
        self._catalogue = catalogue
        self._limited = limits.allowance is not None
        self.doubtful = False  # piece of a window that was short
        self._accepted = False  # its count was known and fitted when its first page came
        self._allowed = 0

    def expected(self) -> int:
        """Return the source's count, or the part of it that --limit leaves."""
        count = self.api_count or 0
        return min(count, self._allowed) if self._limited else count

    def resume(self, row: WindowRow, pages: Iterable[int]) -> None:
        """Take over what was left; what it had read stays allowed."""
        if row.api_count is not None and (self._limited or is_trusted(row)):
            self._accept(row.api_count, read=row.fetched)
        super().resume(row, pages)

    def look(self, number: int, page: Page) -> list[int] | None:
        """Store nothing of a window that will be split, and nothing beyond --limit."""
        positions = super().look(number, page)
        if positions is None or self._is_too_big():
            return None
        room = self.expected() - (number - 1) * self.size
        return positions[: max(0, room)] if self._limited else positions

    def settle(self) -> Verdict:
        """Split at once what the source would cut off."""
        if self._is_too_big():
            self.note = f"{self.api_count} rows are over the limit of {self.limits.depth}"
            return Verdict.SPLIT
        return super().settle()

    def splittable(self) -> bool:
        """Return True: a span has smaller spans, and a day can be found in the browse listing.

        Not again, though, when splitting a window that was short has given short pieces: then
        the source's counts are wrong, and smaller windows would not be truer.
        """
        return not (self.doubtful and self.short)

    def pieces(self) -> list[Reading]:
        """Return one reading for each smaller span; for a single day, the browse listing's."""
        spans = self.span.split()
        if not spans:
            return [DayReading(self.window, self.limits, self._catalogue, self.api_count or 0)]
        pieces = [DatesReading(span.window, self.limits, self._catalogue) for span in spans]
        for piece in pieces:
            piece.doubtful = self.doubtful or self.short
        return list(pieces)

    def _learn(self, number: int, page: Page) -> None:
        super()._learn(number, page)
        if not self._accepted and not self._is_too_big():
            self._accept(page.count, read=0)

    def _accept(self, count: int, *, read: int) -> None:
        self._accepted = True
        if self._limited:
            self._allowed = read + self.limits.allow(count - read)
            self.note = "" if self._allowed == count else "cut by --limit"

    def _is_too_big(self) -> bool:
        count = self.api_count or 0
        if self.limits.allowance is not None:
            count = min(count, self.limits.allowance)
        return count > self.limits.depth and not self._accepted

    def _goes_on(self) -> bool:
        return not self._limited and super()._goes_on()

    def _plan_rest(self) -> None:
        if not self._is_too_big():
            super()._plan_rest()


class UndatedReading(Reading):
    """Games without a date: the front of the browse listing by release, up to the first date."""

    def __init__(self, limits: Limits, undated: int) -> None:
        super().__init__(UNDATED, ListingQuery.browse("released"), limits)
        self.api_count = undated
        self._catalogue: int | None = None
        self._dated_seen = False

    def last_page(self) -> int:
        """Return the page on which the first dated game must be."""
        page = (self.api_count or 0) // self.size + 1
        return page if self._catalogue is None else min(page, -(-self._catalogue // self.size))

    def keep(self, head: RowHead) -> bool:
        """Keep undated rows only: dated ones belong to their own window."""
        return head.released is None

    def look(self, number: int, page: Page) -> list[int] | None:
        """Note whether the walk has reached the dated games."""
        self._dated_seen |= any(head.released is not None for head in page.rows)
        return super().look(number, page)

    def check_again(self) -> None:
        """Read it again: the source has no count of undated games."""
        self.read_again()

    def missing(self) -> int:
        """Return 0: its end is a row, not a count; the run compares the totals."""
        return 0

    def _learn(self, number: int, page: Page) -> None:
        undated = self.api_count
        super()._learn(number, page)
        self.api_count, self._catalogue = undated, page.count

    def _goes_on(self) -> bool:
        return not self._dated_seen and super()._goes_on()


class BrowseReading(Reading):
    """The whole catalogue in the order in which games were created."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(WHOLE_LISTING, ListingQuery.browse("created"), limits)


class PopularReading(Reading):
    """The first games of the browse listing, most added first: what --limit shows."""

    def __init__(self, limits: Limits, games: int) -> None:
        super().__init__(Window("popular", "popular"), ListingQuery.browse("-added"), limits)
        self._games = games

    def expected(self) -> int:
        """Return how many games were asked for, or how many there are."""
        return min(self._games, self.api_count or 0)

    def look(self, number: int, page: Page) -> list[int] | None:
        """Store nothing beyond the limit."""
        positions = super().look(number, page)
        room = self._games - (number - 1) * self.size
        return None if positions is None else positions[: max(0, room)]

    def missing(self) -> int:
        """Return 0: `added` is a live counter, so this order cannot be reconciled."""
        return 0

    def _goes_on(self) -> bool:
        return False


class DayReading(Reading):
    """One day with more games than a filtered listing gives, from the browse listing by release.

    There a day's games stand together, before all later ones: their place follows from how many
    games are dated from that day on (page 0 asks that). How many are of the day itself is known
    from its own window, and asked again (page -1) by a process that goes on later.
    """

    def __init__(self, window: Window, limits: Limits, catalogue: int, count: int) -> None:
        day = Window(f"browse:{window.first}", "day", window.first, window.last)
        super().__init__(day, ListingQuery.browse("released"), limits)
        self.api_count = count
        self.wanted.clear()
        self.wanted.append(_PLACE)
        self._catalogue = catalogue
        self._edges: dict[int, tuple[str, str]] = {}
        self._trusted: set[int] = set()  # pages of an earlier process that need no second look

    def resume(self, row: WindowRow, pages: Iterable[int]) -> None:
        """Take over what was left; count and place are asked for again."""
        self.rolled = set(pages)
        if is_trusted(row):
            self._trusted, self._before = set(pages), row.fetched
        self.wanted = deque([_OWN_COUNT])

    def request(self, number: int) -> tuple[ListingQuery, int]:
        """Ask what is no page by a date filter."""
        if number in (_PLACE, _OWN_COUNT):
            last = EVERYTHING.last.isoformat() if number == _PLACE else self.window.last
            return ListingQuery.dates(self.window.first, last), 1
        return super().request(number)

    def look(self, number: int, page: Page) -> list[int] | None:
        """Remember where a page begins and ends; undated games come first."""
        if number < 1:
            return None
        if page.rows:
            self._edges[number] = (page.rows[0].released or "", page.rows[-1].released or "")
        return super().look(number, page)

    def absorb(self, number: int, page: Page, stored: list[int] | None) -> None:
        """Turn the counts into pages."""
        if number >= 1:
            super().absorb(number, page, stored)
            return
        self.flying.discard(number)
        self._unreadable.pop(number, None)
        if number == _OWN_COUNT:
            self.api_count = page.count
            self.wanted.append(_PLACE)
            return
        before = max(0, self._catalogue - page.count)
        first, last = before // self.size + 1, (before + self.expected()) // self.size + 1
        self.wanted.extend(n for n in range(first, last + 1) if n not in self._trusted)

    def keep(self, head: RowHead) -> bool:
        """Keep that day's rows only."""
        return head.released == self.window.first

    def settle(self) -> Verdict:
        """Go on at both ends until other days are in sight."""
        if self._unreadable:
            return super().settle()
        if self._edges and self._ended is None and (further := self._further()):
            self.wanted.append(further)
            return Verdict.MORE
        missing = self.missing()
        return Verdict.DONE if missing <= 0 else self._give_up(f"{missing} rows not found")

    def _further(self) -> int | None:
        low, high = min(self._edges), max(self._edges)
        if low > 1 and low - 1 not in self._trusted and self._edges[low][0] >= self.window.first:
            return low - 1
        if high + 1 not in self._trusted and self._edges[high][1] <= self.window.first:
            return high + 1
        return None

    def _learn(self, number: int, page: Page) -> None:
        """Keep the day's own count: the page's is the catalogue's."""

    def _plan_rest(self) -> None:
        """Pages are planned from page 0."""
