"""All windows of a run being read at once: hands out pages, takes answers, opens what follows."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ingestion.rawg_fetcher import ListingQuery, Page, PageUnreadable
from ingestion.reading import Reading, Verdict

# Told of a window that is read in pieces from now on, before any piece is asked for.
OnSplit = Callable[[Reading, Sequence[Reading]], None]


@dataclass(frozen=True)
class Task:
    """One page to fetch: page `number` of a window is page `page` of `query`."""

    reading: Reading
    number: int
    query: ListingQuery
    page: int


class Crawl:
    """The work list of a run. Thread-safe; the same lock guards its readings."""

    def __init__(self, readings: Iterable[Reading], on_split: OnSplit) -> None:
        self._changed = threading.Condition()
        self._on_split = on_split
        self._readings: dict[str, Reading] = {}
        self._splitting = 0
        self._halted = False
        self._open: list[Reading] = []
        self.add(readings)

    def add(self, readings: Iterable[Reading]) -> None:
        """Open windows; those that want nothing more are settled at once."""
        for reading in readings:
            with self._changed:
                self._readings[reading.window.name] = reading
                if reading.state == "open":
                    self._open.append(reading)
                    self._changed.notify_all()
            self._settle(reading)

    def next(self) -> Task | None:
        """Return the next page to fetch; wait for one; None when there will be none."""
        with self._changed:
            while not self._halted and (self._open or self._splitting):
                if task := self._task():
                    return task
                self._changed.wait()
            return None

    def look(self, task: Task, page: Page) -> list[int] | None:
        """Return the positions of the page's rows to store; None when it stores nothing."""
        with self._changed:
            return task.reading.look(task.number, page)

    def finish(self, task: Task, page: Page, stored: list[int] | None) -> None:
        """Take note of a page that is durable."""
        with self._changed:
            task.reading.absorb(task.number, page, stored)
            self._changed.notify_all()
        self._settle(task.reading)

    def fail(self, task: Task, error: PageUnreadable) -> None:
        """Take note of a page that stayed unreadable."""
        with self._changed:
            task.reading.fail(task.number, error)
            self._changed.notify_all()
        self._settle(task.reading)

    def halt(self) -> None:
        """Hand out no more pages."""
        with self._changed:
            self._halted = True
            self._changed.notify_all()

    @property
    def finished(self) -> bool:
        """True when every window is settled."""
        with self._changed:
            return not self._open and not self._splitting

    def readings(self) -> list[Reading]:
        """Return every window that this crawl knows, settled ones included."""
        with self._changed:
            return list(self._readings.values())

    def reading(self, window: str) -> Reading:
        """Return one window."""
        return self._readings[window]

    def locked(self) -> threading.Condition:
        """Return the lock that guards the readings."""
        return self._changed

    def _task(self) -> Task | None:
        for reading in self._open:
            if reading.wanted:
                number = reading.wanted.popleft()
                reading.flying.add(number)
                return Task(reading, number, *reading.request(number))
        return None

    def _settle(self, reading: Reading) -> None:
        with self._changed:
            pieces = self._judge(reading)
        if pieces is None:
            return
        try:
            self._on_split(reading, pieces)  # writes to the store: never under the lock
            with self._changed:
                reading.state = "split"  # not sooner: a window without pieces must not be stored so
            self.add(pieces)
        finally:
            with self._changed:
                self._splitting -= 1
                self._changed.notify_all()

    def _judge(self, reading: Reading) -> list[Reading] | None:
        if reading not in self._open or reading.wanted or reading.flying:
            return None
        verdict = reading.settle()
        if verdict is Verdict.MORE:
            self._changed.notify_all()
            return None
        self._open.remove(reading)
        self._changed.notify_all()
        if verdict is Verdict.SPLIT:
            self._splitting += 1
            return reading.pieces()
        reading.state = "done" if verdict is Verdict.DONE else "incomplete"
        return None
