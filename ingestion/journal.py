"""What a run writes down about itself in the operational store, always under the writer lease."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ingestion.classify import Verdicts
from ingestion.reading import Reading
from storage.database.repositories.leases import Lease
from storage.database.repositories.ledger import LedgerRow
from storage.database.repositories.runs import Run, RunState
from storage.database.repositories.windows import PageRow, WindowRow
from storage.database.session import Database, UnitOfWork
from storage.layout import GAMES, SOURCE_RAWG
from storage.rebuild import LAST_FETCHED_AT

COUNTERS = (
    "requests",
    "pages",
    "games_seen",
    "games_new",
    "games_changed",
    "games_enriched",
    "games_unchanged",
    "quarantined",
    "lookups_quarantined",
    "bytes_raw",
)
SOURCE_COUNT = f"source_count:{SOURCE_RAWG}"


@dataclass(frozen=True)
class Rolled:
    """What one rolled segment adds to the store. `pages` is by window, `bad` are ids of games."""

    segment: str
    last_fetched_at: str
    verdicts: Verdicts
    pages: Mapping[str, list[PageRow]]
    bad: Sequence[int]
    counters: Mapping[str, int]


class RunJournal:
    """One ingest run in the store. Used by one thread, except `split`, which any may call."""

    def __init__(
        self, database: Database, lease: Lease, run: Run, *, resumed: bool = False
    ) -> None:
        self.run_id = run.run_id
        self.resumed = resumed
        self.scope = run.scope
        self.summary: dict[str, Any] = {**run.summary, "counters": _counts(run.summary)}
        self._database = database
        self._lease = lease

    @property
    def counters(self) -> dict[str, int]:
        """Counts of the whole run, earlier processes included."""
        counters: dict[str, int] = self.summary["counters"]
        return counters

    @property
    def start(self) -> dict[str, Any]:
        """What was known when the run started.

        `newest`, `source_count`, `since` (delta); `fetched_before`: last fetch of earlier runs.
        """
        start: dict[str, Any] = self.summary["start"]
        return start

    def windows(self) -> list[WindowRow]:
        """Return the run's windows as they were last saved."""
        with self._database.reading() as unit:
            return unit.windows.list(self.run_id)

    def pages_done(self, window: str) -> set[int]:
        """Return the pages of a window that are in raw."""
        with self._database.reading() as unit:
            return unit.windows.pages_done(self.run_id, window)

    def known(self, ids: list[int]) -> dict[int, LedgerRow]:
        """Return what was last stored of these games."""
        with self._database.reading() as unit:
            return unit.ledger.lookup(SOURCE_RAWG, GAMES, ids)

    def games_met(self) -> int:
        """Return how many games were read since the run began, by whatever run."""
        with self._database.reading() as unit:
            return unit.ledger.count(SOURCE_RAWG, GAMES, after=self.start["fetched_before"])

    def quarantined(self) -> int:
        """Return how many games have bad rows only; the counter of that name counts every read.

        Good ones of other runs count where their games do (`games_met`): in a crawl of everything.
        """
        met = self.start["fetched_before"] if self.scope["scope"] == "all" else None
        with self._database.reading() as unit:
            return unit.bad_rows.count(self.run_id, SOURCE_RAWG, GAMES, after=met)

    def plan(self, readings: Iterable[Reading]) -> None:
        """Add windows to the run's plan."""
        with self._database.unit_of_work(self._lease) as unit:
            unit.windows.plan(self.run_id, [self._row(reading) for reading in readings])

    def split(self, reading: Reading, pieces: Iterable[Reading]) -> None:
        """Note that a window is read in pieces from now on."""
        with self._database.unit_of_work(self._lease) as unit:
            unit.windows.save(replace(self._row(reading), state="split"))
            unit.windows.plan(self.run_id, [self._row(piece) for piece in pieces])

    def roll(self, rolled: Rolled, windows: Iterable[WindowRow]) -> None:
        """Commit ledger, pages, windows, counters and last fetch time of one segment, at once."""
        counters = {name: n + rolled.counters.get(name, 0) for name, n in self.counters.items()}
        summary = {**self.summary, "counters": counters, "rolled": rolled.segment}
        with self._database.unit_of_work(self._lease) as unit:
            self._ledger(unit, rolled)
            for window, pages in rolled.pages.items():
                unit.windows.add_pages(self.run_id, window, pages)
            unit.bad_rows.add(self.run_id, rolled.bad)
            _save(unit, windows)
            unit.runs.set_summary(self.run_id, summary)
            # What a lost host left behind may be older than what others rolled since.
            last = max(unit.state.get(LAST_FETCHED_AT) or "", rolled.last_fetched_at)
            unit.state.set(LAST_FETCHED_AT, last)
        self.summary = summary  # only now: what was not committed must not be saved later on

    def reload(self) -> None:
        """Take the run as the store has it: after an error, only the store knows what it took."""
        with self._database.reading() as unit:
            stored = unit.runs.get(self.run_id).summary
        counters = {**_counts(stored), "requests": self.counters["requests"]}
        seconds = self.summary.get("seconds", 0)
        self.summary = {**stored, "counters": counters, "seconds": seconds}

    def save(self, windows: Iterable[WindowRow] = ()) -> None:
        """Commit windows and counters."""
        with self._database.unit_of_work(self._lease) as unit:
            _save(unit, windows)
            unit.runs.set_summary(self.run_id, self.summary)

    def end(self, state: RunState, reason: str, facts: Mapping[str, str]) -> None:
        """End the run in `state`; `facts` become known in the same transaction (watermark)."""
        with self._database.unit_of_work(self._lease) as unit:
            unit.runs.set_summary(self.run_id, self.summary)
            unit.runs.transition(self.run_id, state, reason=reason)
            for key, value in facts.items():
                unit.state.set(key, value)

    def rows(self, readings: Iterable[Reading]) -> list[WindowRow]:
        """Return windows as they stand in raw: done only when every page of theirs is there."""
        return [self._row(reading) for reading in readings]

    def _row(self, reading: Reading) -> WindowRow:
        window = reading.window
        row = WindowRow(
            self.run_id,
            window.name,
            window.kind,
            window.first,
            window.last,
            reading.api_count,
            reading.fetched,
            reading.state,
            reading.memo(),
        )
        if reading.settled:
            return row
        state = "open" if row.state == "done" else row.state
        return replace(row, fetched=reading.durable(), state=state)

    def _ledger(self, unit: UnitOfWork, rolled: Rolled) -> None:
        verdicts, seen_at = rolled.verdicts, rolled.last_fetched_at
        unit.ledger.upsert(SOURCE_RAWG, GAMES, list(verdicts.upserts.values()))
        unit.ledger.touch(SOURCE_RAWG, GAMES, verdicts.touched, seen_at=seen_at, run_id=self.run_id)


def _counts(summary: Mapping[str, Any]) -> dict[str, int]:
    return {**dict.fromkeys(COUNTERS, 0), **summary.get("counters", {})}


def _save(unit: UnitOfWork, windows: Iterable[WindowRow]) -> None:
    for window in windows:
        unit.windows.save(window)
