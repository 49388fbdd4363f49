"""One process at work on a run: its windows, its workers, its progress."""

from ingestion.context import IngestContext
from ingestion.crawl import Crawl
from ingestion.decoder import Decoder
from ingestion.journal import RunJournal
from ingestion.lookup_store import store_lookups
from ingestion.rawg_fetcher import PAGE_SIZE, PageUnreadable
from ingestion.reading import Limits, Reading
from ingestion.report import leaves
from ingestion.roller import Roller
from ingestion.scope import Windows
from ingestion.source import Source
from ingestion.spool import Spool
from ingestion.workers import PAGES_A_PART, Reader
from storage.database.repositories.windows import WindowRow
from storage.rebuild import LAST_FETCHED_AT
from utils.clock import FetchClock, parse_iso
from utils.progress import ProgressSnapshot


class Work:
    """What the steps of a run share."""

    def __init__(self, ctx: IngestContext, source: Source, journal: RunJournal) -> None:
        self.ctx = ctx
        self.source = source
        self.journal = journal
        self.clock = _fetch_clock(ctx)
        self.spool = Spool(ctx.spool / journal.run_id, self.clock, pages_a_segment=PAGES_A_PART)
        self.limits = Limits(ctx.settings.rawg_depth_limit, _allowance(journal))
        self.windows = Windows(journal.scope, journal.start, self.limits)
        self._requests_before = journal.counters["requests"]
        self._seconds_before = float(journal.summary.get("seconds", 0))
        self._started = ctx.clock.monotonic()
        self._decoder = Decoder(journal.run_id, segments=self._segments_ahead())
        self._reader = Reader(
            source=source,
            spool=self.spool,
            roller=Roller(ctx.raw, journal),
            decoder=self._decoder,
            journal=journal,
            stop=ctx.stop,
            workers=ctx.settings.rawg_workers,
            tick=self._tick,
        )

    def read(self, readings: list[Reading]) -> None:
        """Read windows until each is settled; raises as Reader.read."""
        self._reader.read(Crawl(readings, self.journal.split))

    def close(self) -> None:
        """Note what the process used, and close the spool."""
        self.count()
        self._decoder.close()
        self.spool.close()

    def count(self) -> None:
        """Bring requests and time of the run up to date; the next save stores them."""
        self.journal.counters["requests"] = self._requests_before + self.source.meter.requests
        elapsed = self.ctx.clock.monotonic() - self._started
        self.journal.summary["seconds"] = round(self._seconds_before + elapsed, 3)

    def _segments_ahead(self) -> int:
        """Return how many full segments a crawl of the whole catalogue has still to read."""
        if self.journal.scope["scope"] != "all":
            return 0
        left = int(self.journal.start["source_count"]) - self.journal.counters["games_seen"]
        return left // (PAGE_SIZE * PAGES_A_PART)

    def _tick(self, crawl: Crawl) -> None:
        self.count()
        self.ctx.progress.update(self._snapshot(crawl))

    def _snapshot(self, crawl: Crawl) -> ProgressSnapshot:
        meter, counters = self.source.meter, self.journal.counters
        with crawl.locked():
            readings = [reading for reading in crawl.readings() if reading.state != "split"]
            known = all(reading.api_count is not None for reading in readings)
            return ProgressSnapshot(
                phase="ingest",
                windows_done=sum(reading.state != "open" for reading in readings),
                windows_total=len(readings),
                pages_done=sum(reading.pages_read() for reading in readings),
                pages_total=sum(reading.pages_in_all() for reading in readings) if known else None,
                games=counters["games_seen"],
                requests=meter.requests,
                quota_left=self.source.budget.left(),
                retries=meter.retries,
                message=meter.last_retry,
            )


def read_lookups(work: Work) -> list[str]:
    """Store the look-ups that changed, once a run; return what could not be read."""
    journal = work.journal
    if "lookups" in journal.summary:
        return []
    try:
        stored = store_lookups(work.source.client, work.ctx.raw, journal.run_id, work.clock)
    except PageUnreadable as error:
        return [error.message]
    journal.summary["lookups"] = list(stored.changed)
    journal.counters["lookups_quarantined"] = stored.bad
    journal.counters["bytes_raw"] += stored.bytes
    work.count()
    journal.save()
    return []


def read_windows(work: Work) -> None:
    """Read what is not done of the run's plan; a new run is planned first."""
    rows = work.journal.windows()
    readings = [resumed(work, row) for row in rows if row.state in ("open", "incomplete")]
    if not rows:
        readings = work.windows.first()
        work.journal.plan(readings)
    work.read(readings)
    if following := work.windows.follow(work.journal.windows()):
        work.journal.plan(following)
        work.read(following)


def resumed(work: Work, row: WindowRow) -> Reading:
    """Return the reading of a stored window, with what is left of it to read."""
    reading = work.windows.again(row)
    reading.resume(row, work.journal.pages_done(row.window))
    return reading


def _allowance(journal: RunJournal) -> int | None:
    limit = journal.scope.get("limit")
    if limit is None or "from" not in journal.scope:
        return None
    return max(0, int(limit) - sum(row.fetched for row in leaves(journal.windows())))


def _fetch_clock(ctx: IngestContext) -> FetchClock:
    with ctx.database.reading() as unit:
        last = unit.state.get(LAST_FETCHED_AT)
    return FetchClock(ctx.clock, None if last is None else parse_iso(last))
