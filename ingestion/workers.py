"""Reading windows: workers fetch pages into the spool while the caller's thread rolls segments."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingestion.crawl import Crawl, Task
from ingestion.decoder import Decoder
from ingestion.journal import RunJournal
from ingestion.json_slices import elements
from ingestion.rawg_fetcher import Page, PageUnreadable
from ingestion.reading import Reading
from ingestion.roller import Roller
from ingestion.source import Source
from ingestion.spool import PageHead, Spool
from storage.database.repositories.windows import WindowRow
from utils.errors import GamelakeError, Stopped
from utils.interpreter import pick_cpu, stay_on

PAGES_A_PART = 64
_SEGMENTS_WAITING = 4  # more, and fetching waits for rolling
_TICK_S = 0.05
_PATIENCE_S = 5.0  # how long a stopped run waits for pages in flight


@dataclass
class Reader:
    """What is needed to read windows; `stop` is the user's Ctrl-C."""

    source: Source
    spool: Spool
    roller: Roller
    decoder: Decoder
    journal: RunJournal
    stop: threading.Event
    workers: int
    tick: Callable[[Crawl], None]
    _final: set[str] = field(default_factory=set)

    def read(self, crawl: Crawl) -> None:
        """Read every window of `crawl`; what was fetched is in raw on return, also on an error.

        Raises what stopped a worker: QuotaSpent, SourceError, Stopped, OSError, or a defect.
        """
        self._final.difference_update(reading.window.name for reading in crawl.readings())
        cpu = pick_cpu()
        threads = [_Worker(crawl, self.source, self.spool, cpu) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads) and not self.stop.is_set():
                self._roll_next(crawl, timeout=_TICK_S)
                self.tick(crawl)
        finally:
            crawl.halt()
            for thread in threads:
                thread.join(_PATIENCE_S)
        self._roll_rest(crawl)
        raise_first([thread.error for thread in threads if thread.error is not None])
        if not crawl.finished:
            raise Stopped("stopped", operation="ingest")

    def _roll_next(self, crawl: Crawl, *, timeout: float) -> bool:
        """Roll the oldest sealed segment; each helper has one more to decode meanwhile."""
        segment = self.spool.take(timeout)
        if segment is not None:
            self.decoder.give(segment)
        ahead = self.decoder.helpers if segment is not None else 0
        if len(self.decoder) <= ahead:
            return segment is not None
        oldest, decoded = self.decoder.result()
        self.roller.roll(oldest, lambda heads: self._windows_after(crawl, heads), decoded)
        return True

    def _roll_rest(self, crawl: Crawl) -> None:
        self._spool_failures(crawl)
        self.spool.seal()
        while self._roll_next(crawl, timeout=0):
            self.tick(crawl)
        self.journal.save(self._windows_after(crawl, []))

    def _spool_failures(self, crawl: Crawl) -> None:
        for reading in crawl.readings():
            for error in reading.unreadable() if reading.state == "incomplete" else ():
                listing, window = reading.query.listing, reading.window.name
                head = PageHead(window, error.number, 0, listing, 0, failure=error.reason)
                self.spool.append(head, error.excerpt.encode("utf-8", "backslashreplace"))

    def _windows_after(self, crawl: Crawl, heads: list[PageHead]) -> list[WindowRow]:
        """Mark pages as rolled; return the windows whose stored row is now out of date."""
        with crawl.locked():
            for head in heads:
                crawl.reading(head.window).rolled.add(head.page)
            touched = {head.window for head in heads}
            stale = [
                reading
                for reading in crawl.readings()
                if reading.window.name in touched or self._is_news(reading)
            ]
            rows = self.journal.rows(stale)
        self._final.update(row.window for row in rows if row.state != "open")
        return rows

    def _is_news(self, reading: Reading) -> bool:
        return reading.state != "open" and reading.window.name not in self._final


class _Worker(threading.Thread):
    """Fetches one page after the other until there is none, or something goes wrong."""

    def __init__(self, crawl: Crawl, source: Source, spool: Spool, cpu: int) -> None:
        super().__init__(name="ingest", daemon=True)
        self.error: Exception | None = None
        self._crawl = crawl
        self._source = source
        self._spool = spool
        self._cpu = cpu

    def run(self) -> None:
        """Work until the crawl has nothing left; an error ends the crawl."""
        ended = False
        stay_on(self._cpu)
        try:
            while (task := self._crawl.next()) is not None:
                self._spool.wait_for_room(_SEGMENTS_WAITING, timeout=60)
                self._read(task)
            ended = True
        except Exception as error:  # noqa: BLE001 - defects too: the caller's thread raises it
            self.error = error
        finally:
            if not ended:
                self._crawl.halt()

    def _read(self, task: Task) -> None:
        try:
            page = self._source.page(task.query, task.page)
        except PageUnreadable as error:
            self._crawl.fail(task, error)
            return
        stored = self._crawl.look(task, page)
        if stored is not None:
            window = task.reading.window.name
            head = PageHead(window, task.number, page.count, page.listing, len(stored))
            self._spool.append(head, _rows(page, stored))
        self._crawl.finish(task, page, stored)  # only now: what counts must not be lost


def _rows(page: Page, stored: list[int]) -> bytes:
    if len(stored) == len(page.rows):
        return page.results
    rows = elements(page.results)
    return b"[" + b",".join(rows[position] for position in stored) + b"]"


def raise_first(errors: Sequence[Exception]) -> None:
    """Raise the one that says most: a defect, else the disk's refusal, at last Stopped.

    When the disk refused one worker, the others met a broken spool or stopped.
    """
    if errors:
        raise max(errors, key=_weight)


def _weight(error: Exception) -> int:
    kinds = (Stopped, GamelakeError, OSError)
    return next((at for at, kind in enumerate(kinds) if isinstance(error, kind)), len(kinds))
