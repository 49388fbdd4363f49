"""One window while it is being read: which pages it wants, what came back, and is it all there.

A reading does no input or output and is not thread-safe: `ingestion.crawl` calls it under a lock.

    wanted -> flying -> absorbed            (fetched; its rows are in the spool)
                     -> rolled              (its rows are in a raw part)

When nothing is wanted or flying, `settle` compares what was read with what the source counts and
says done, or wants pages again: those that stayed unreadable, those at an early end, those whose
edge moved, at last all of them.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ingestion.rawg_fetcher import PAGE_SIZE, ListingQuery, Page, PageUnreadable, RowHead
from ingestion.windows import Window
from storage.database.repositories.windows import WindowRow, WindowState

_PASSES = 2  # how often pages of one window are wanted again for one reason
_EDGE_PASSES = 5
_UNREADABLE = "unreadable"  # how the note of a window begins that only lacks some pages


class Verdict(Enum):
    """What `settle` decided."""

    MORE = "more"
    DONE = "done"
    SPLIT = "split"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class Answer:
    """What a page said: `turn` orders answers in time, `gain` is rows not seen before.

    `repeats`: a full page, and every row of it stood on another page already.
    """

    turn: int
    count: int
    gain: int
    has_next: bool
    repeats: bool = False


@dataclass
class Limits:
    """What all readings of a run share: rows a filtered listing gives, games still allowed."""

    depth: int
    allowance: int | None = None
    _reached: int | None = None

    def learn(self, reached: int, counted: int) -> bool:
        """Note that a window of `counted` rows ended after `reached`: so deep a listing goes.

        Returns False when a listing is known to go deeper than that: then the count was wrong,
        and smaller windows would not be truer.
        """
        if self._reached is not None and counted <= self._reached:
            return False
        self._reached = reached
        self.depth = min(self.depth, max(reached, PAGE_SIZE))
        return True

    def allow(self, rows: int) -> int:
        """Return how many of `rows` may still be read, and take them off the allowance."""
        if self.allowance is None:
            return rows
        taken = min(rows, self.allowance)
        self.allowance -= taken
        return taken


def is_trusted(row: WindowRow) -> bool:
    """Return False for a window that came out short: as no page is known to be bad, any may be."""
    return row.state != "incomplete" or row.note.startswith(_UNREADABLE)


class Reading:
    """The common part; subclasses say what to ask, which rows to keep and where the end is."""

    def __init__(self, window: Window, query: ListingQuery, limits: Limits) -> None:
        self.window = window
        self.query = query
        self.limits = limits
        self.wanted: deque[int] = deque([1])
        self.flying: set[int] = set()
        self.rolled: set[int] = set()
        self.state: WindowState = "open"
        self.note = ""
        self.api_count: int | None = None
        self.size = PAGE_SIZE
        self._answers: dict[int, Answer] = {}
        self._unreadable: dict[int, PageUnreadable] = {}
        self._ids: set[int] = set()
        self._bad: dict[int, int] = {}
        self._before = 0  # rows that an earlier process accounted for
        self._planned = 1
        self._turn = 0
        self._ended: int | None = None
        self._passes: dict[str, int] = {}
        self._checking = False
        self.short = False  # less than a page of rows was missing

    # What a subclass may change.

    def expected(self) -> int:
        """Return how many rows the window must give."""
        return self.api_count or 0

    def last_page(self) -> int:
        """Return the number of the last page, from 1."""
        return max(1, -(-self.expected() // self.size))

    def keep(self, head: RowHead) -> bool:  # noqa: ARG002 - subclasses look at it
        """Return False for a row that is not of this window."""
        return True

    def splittable(self) -> bool:
        """Return True when the window can be read in smaller pieces instead."""
        return False

    def pieces(self) -> list["Reading"]:
        """Return those smaller pieces."""
        return []

    # What the crawl calls.

    def resume(self, row: WindowRow, pages: Iterable[int]) -> None:
        """Take over what an earlier process left: counted rows and durable pages."""
        self.rolled = set(pages)
        if not is_trusted(row):
            return
        self.api_count, self._before = row.api_count, row.fetched
        if self.rolled and row.api_count is not None:
            known = dict.fromkeys(sorted(self.rolled), Answer(-1, row.api_count, 0, False))
            self._answers.update(known)
            self.wanted.clear()
            self._planned = 0
            self._plan_rest()

    def read_again(self) -> None:
        """Want every page again, counting from nothing."""
        self.state, self.note = "open", ""
        self._ids.clear()
        self._bad.clear()
        self._answers.clear()
        self._before, self._planned = 0, 1
        self.wanted = deque([1])

    def request(self, number: int) -> tuple[ListingQuery, int]:
        """Return the query and the page of it that answer for page `number`."""
        return self.query, number

    def check_again(self) -> None:
        """Ask for the source's count of a window that was done; read it again if it grew."""
        self.state, self.note = "open", ""
        self.wanted = deque([1])
        self._checking = True

    def look(self, number: int, page: Page) -> list[int] | None:
        """Learn from a page; return the positions of the rows to store, None to store nothing."""
        if self._is_end(number, page):
            return None
        self._learn(number, page)
        if self._checking:
            return None
        return [i for i, head in enumerate(page.rows) if self.keep(head)]

    def absorb(self, number: int, page: Page, stored: list[int] | None) -> None:
        """Take note of a page whose rows, if any, are in the spool."""
        self.flying.discard(number)
        self._unreadable.pop(number, None)
        if self._is_end(number, page):
            self._end_at(number)
            return
        if self._checking:
            self._checking = False
            if self.missing() > 0:
                self.read_again()
            return
        self._turn += 1
        gain = self._count([page.rows[i] for i in stored or ()], number)
        before = self._answers.get(number)
        gain += before.gain if before else 0
        repeats = not gain and len(stored or ()) >= self.size
        self._answers[number] = Answer(self._turn, page.count, gain, page.has_next, repeats)
        self._plan_rest()

    def fail(self, number: int, error: PageUnreadable) -> None:
        """Take note of a page that stayed unreadable."""
        self.flying.discard(number)
        self._unreadable[number] = error

    def settle(self) -> Verdict:
        """Decide what happens now that nothing is wanted or flying."""
        if self._unreadable:
            return self._retry_unreadable()
        if self._ended is not None:
            return self._ended_early(self._ended)
        return self._settle_read()

    def _settle_read(self) -> Verdict:
        if (edges := self._moved()) and self._want("edges", edges, passes=_EDGE_PASSES):
            return Verdict.MORE
        if self._goes_on():
            self.wanted.append(self.last_read() + 1)
            return Verdict.MORE
        if self.missing() > 0:
            return self._look_again()
        return self._doubt() if self._repeated() else Verdict.DONE

    def memo(self) -> str:
        """Return what is kept with the window: why it is as it is."""
        return self.note

    def unreadable(self) -> list[PageUnreadable]:
        """Return the pages that stayed unreadable."""
        return [self._unreadable[number] for number in sorted(self._unreadable)]

    @property
    def fetched(self) -> int:
        """Rows accounted for: distinct games, and rows without a usable id."""
        return self._before + len(self._ids) + sum(self._bad.values())

    @property
    def settled(self) -> bool:
        """True when every absorbed page is in a raw part."""
        return self.rolled.issuperset(self._answers)

    def durable(self) -> int:
        """Return the rows accounted for by pages that are in raw parts."""
        gains = (answer.gain for page, answer in self._answers.items() if page in self.rolled)
        return self._before + sum(gains)

    def pages_read(self) -> int:
        """Return how many pages are in the spool or in raw."""
        return len(self._answers)

    def pages_in_all(self) -> int:
        """Return how many pages there are, as far as is known."""
        return max(self.last_page(), len(self._answers))

    def missing(self) -> int:
        """Return how many rows the source counts and we have not seen."""
        return self.expected() - self.fetched

    def last_read(self) -> int:
        """Return the highest page number that answered, 0 for none."""
        return max(self._answers, default=0)

    # How it decides.

    def _is_end(self, number: int, page: Page) -> bool:
        return page.past_end or (not page.rows and number > 1)

    def _end_at(self, number: int) -> None:
        self._ended = min(number, self._ended or number)
        self._planned = min(self._planned, self._ended - 1)
        self.wanted = deque(n for n in self.wanted if n < self._ended)

    def _learn(self, number: int, page: Page) -> None:
        self.api_count = page.count
        if number == 1 and page.has_next and 0 < len(page.rows) < PAGE_SIZE:
            self.size = len(page.rows)  # the source gives fewer rows a page than we ask for

    def _count(self, heads: list[RowHead], page: int) -> int:
        before = len(self._ids) + self._bad.get(page, 0)
        self._ids.update(head.natural_id for head in heads if head.natural_id is not None)
        self._bad[page] = sum(head.natural_id is None for head in heads)
        return len(self._ids) + self._bad[page] - before

    def _plan_rest(self) -> None:
        if self._ended is not None:
            return
        last = self.last_page()
        self.wanted.extend(n for n in range(self._planned + 1, last + 1) if n not in self._answers)
        self._planned = max(self._planned, last)

    def _want(self, reason: str, pages: Iterable[int], *, passes: int = _PASSES) -> bool:
        if self._passes.get(reason, 0) >= passes:
            return False
        self._passes[reason] = self._passes.get(reason, 0) + 1
        self.wanted.extend(sorted(pages))
        return True

    def _retry_unreadable(self) -> Verdict:
        if self._want("unreadable", self._unreadable):
            return Verdict.MORE
        numbers = ", ".join(str(number) for number in sorted(self._unreadable))
        return self._give_up(f"{_UNREADABLE}: page {numbers}")

    def _ended_early(self, page: int) -> Verdict:
        """No such page, although the source's count says so: ask both once more, then split."""
        self._ended = None
        if self.missing() <= 0:
            return self.settle()
        reached = min((page - 1) * self.size, self.fetched)
        if reached < self.limits.depth and self._want("end", {1}):
            return Verdict.MORE
        note = f"ends after page {page - 1}, {self.missing()} rows early"
        if self.missing() >= self.size and not self.limits.learn(reached, self.expected()):
            return self._give_up(note)
        return self._split_or_give_up(note)

    def _moved(self) -> set[int]:
        """Return pages at whose edge a row may have slipped through.

        When the count falls from a page to the next, either rows before the edge went away after
        the first was read, or came after the second was read: the one that was read earlier lacks
        the rows that moved onto it.
        """
        edges = set()
        for number, answer in self._answers.items():
            following = self._answers.get(number + 1)
            if following is not None and answer.count > following.count:
                edges.add(number if answer.turn < following.turn else number + 1)
        return edges

    def _goes_on(self) -> bool:
        last = self._answers.get(self.last_read())
        return last is not None and last.has_next and last.gain > 0

    def _look_again(self) -> Verdict:
        if self._want("missing", range(1, self.last_page() + 1), passes=1):
            if self._before:
                self.read_again()
            return Verdict.MORE
        return self._split_or_give_up(f"gave {self.fetched} of {self.expected()} rows")

    def _repeated(self) -> list[int]:
        last = self.last_page()
        return [n for n, answer in self._answers.items() if answer.repeats and n <= last]

    def _doubt(self) -> Verdict:
        """Count from nothing once more: moving rows can fill a page with known ones, but once."""
        note = f"page {min(self._repeated())} gives rows of other pages"
        if self._want("repeats", ()):
            self.read_again()
            return Verdict.MORE
        return self._split_or_give_up(note)

    def _split_or_give_up(self, note: str) -> Verdict:
        self.short = self.missing() < self.size
        if not self.splittable():
            return self._give_up(note)
        self.note = note
        return Verdict.SPLIT

    def _give_up(self, note: str) -> Verdict:
        self.note = note
        return Verdict.INCOMPLETE
