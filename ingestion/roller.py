"""Turns a sealed spool segment into raw parts, and only then forgets the segment.

Order: part, manifest, quarantine part, manifest, one commit to the store, removal. A crash
anywhere leaves the segment, and the next process rolls it again: parts whose manifest names the
segment are adopted instead of written twice, and a commit that had happened is not repeated.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from ingestion.classify import SeenRow, Verdicts, classify
from ingestion.journal import Rolled, RunJournal
from ingestion.rows import BadRow, GameRow, Lineage, games_table, quarantine_table, read_rows
from ingestion.spool import Frame, PageHead, delete_segment, read_segment
from storage.database.repositories.windows import PageRow, WindowRow
from storage.layout import GAMES, QUARANTINE, SOURCE_RAWG
from storage.object_store import ObjectStore
from storage.raw_parts import (
    Manifest,
    PageRef,
    RawPart,
    list_parts,
    next_part_number,
    write_part,
)

# Returns the windows as they stand once these pages are in raw.
WindowsAfter = Callable[[list[PageHead]], list[WindowRow]]


@dataclass
class _Batch:
    """The pages of one segment, read."""

    frames: list[Frame] = field(default_factory=list)
    good: list[SeenRow] = field(default_factory=list)
    bad: list[tuple[BadRow, Lineage]] = field(default_factory=list)
    bad_on_page: Counter[tuple[str, int]] = field(default_factory=Counter)  # rows

    def pages(self) -> list[Frame]:
        """Return the pages that were readable."""
        return [frame for frame in self.frames if not frame.head.failure]


class Roller:
    """Rolls the segments of one run, oldest first."""

    def __init__(self, store: ObjectStore, journal: RunJournal) -> None:
        self._store = store
        self._journal = journal
        self._numbers: dict[str, int] = {}

    def roll(self, segment: Path, windows_after: WindowsAfter) -> None:
        """Make the pages of `segment` part of raw and of the store, then delete it."""
        batch = self._read(segment)
        if batch.frames and segment.name > self._journal.summary.get("rolled", ""):
            self._store_batch(segment.name, batch, windows_after)
        delete_segment(segment)

    def _store_batch(self, segment: str, batch: _Batch, windows_after: WindowsAfter) -> None:
        verdicts = self._classify(batch)
        written = self._parts_of(segment)
        part = written.get(GAMES) or self._write_games(segment, batch, verdicts)
        quarantine = written.get(QUARANTINE)
        if batch.bad and quarantine is None:
            quarantine = self._write_quarantine(segment, batch)
        rolled = Rolled(
            segment,
            batch.frames[-1].head.fetched_at,
            verdicts,
            _page_rows(batch, part.key),
            _counters(batch, verdicts, [part, *([quarantine] if quarantine else [])]),
        )
        self._journal.roll(rolled, windows_after([frame.head for frame in batch.pages()]))

    def _read(self, segment: Path) -> _Batch:
        batch = _Batch()
        for frame in read_segment(segment):
            head = frame.head
            fetched_at = datetime.fromisoformat(head.fetched_at)
            lineage = Lineage(fetched_at, self._journal.run_id, head.listing, head.window)
            good, bad = _rows(frame)
            batch.frames.append(frame)
            batch.good.extend((row, lineage) for row in good)
            batch.bad.extend((row, lineage) for row in bad)
            if not head.failure:
                batch.bad_on_page[head.window, head.page] += len(bad)
        return batch

    def _classify(self, batch: _Batch) -> Verdicts:
        known = self._journal.known(list({row.natural_id for row, _ in batch.good}))
        since = self._journal.start.get("since", "")
        return classify(batch.good, known, run_id=self._journal.run_id, read_before=since)

    def _parts_of(self, segment: str) -> dict[str, RawPart]:
        """Return the parts that a process which died here had written of this segment."""
        if self._numbers:  # this process wrote parts already: the segment is its own
            return {}
        run_id = self._journal.run_id
        found = {}
        for entity in (GAMES, QUARANTINE):
            self._numbers[entity] = next_part_number(self._store, SOURCE_RAWG, entity, run_id)
            for part in list_parts(self._store, SOURCE_RAWG, entity, run_id):
                if part.manifest.spool_segment == segment:
                    found[entity] = part
        return found

    def _write_games(self, segment: str, batch: _Batch, verdicts: Verdicts) -> RawPart:
        rows = [row for row, _ in verdicts.stored]
        table = games_table(rows, [lineage for _, lineage in verdicts.stored])
        pages = tuple(_page_ref(frame, frame.head.rows) for frame in batch.pages())
        spoilt = batch.bad_on_page.total()
        manifest = self._manifest(GAMES, segment, batch)
        manifest = replace(manifest, pages=pages, quarantined=spoilt, **verdicts.rows)  # type: ignore[arg-type] # its names are fields
        return self._write(table, manifest)

    def _write_quarantine(self, segment: str, batch: _Batch) -> RawPart:
        rows = [row for row, _ in batch.bad]
        table = quarantine_table(GAMES, rows, [lineage for _, lineage in batch.bad])
        spoilt = ((frame, batch.bad_on_page[_key(frame)]) for frame in batch.pages())
        pages = tuple(_page_ref(frame, rows) for frame, rows in spoilt if rows)
        manifest = self._manifest(QUARANTINE, segment, batch)
        return self._write(
            table, replace(manifest, pages=pages, quarantined=batch.bad_on_page.total())
        )

    def _manifest(self, entity: str, segment: str, batch: _Batch) -> Manifest:
        """Return a manifest that counts nothing yet."""
        heads = [frame.head for frame in batch.frames]
        return Manifest(
            source=SOURCE_RAWG,
            entity=entity,
            run_id=self._journal.run_id,
            number=self._numbers[entity],
            listing="+".join(sorted({head.listing for head in heads})),
            **dict.fromkeys(_COUNTS, 0),
            pages=(),
            spool_segment=segment,
            first_fetched_at=heads[0].fetched_at,
            last_fetched_at=heads[-1].fetched_at,
            sha256="",
        )

    def _write(self, table: pa.Table, manifest: Manifest) -> RawPart:
        part = write_part(self._store, table, replace(manifest, rows=table.num_rows))
        self._numbers[manifest.entity] += 1
        return part


_COUNTS = ("rows", "new", "changed", "enriched", "unchanged", "quarantined", "bytes")


def _rows(frame: Frame) -> tuple[list[GameRow], list[BadRow]]:
    if frame.head.failure:
        excerpt = frame.body.decode("utf-8", "backslashreplace")
        reason = f"page {frame.head.page} unreadable: {frame.head.failure}"
        return [], [BadRow(None, reason, excerpt)]
    return read_rows(frame.body)


def _key(frame: Frame) -> tuple[str, int]:
    return frame.head.window, frame.head.page


def _page_ref(frame: Frame, rows: int) -> PageRef:
    return PageRef(frame.head.window, frame.head.page, frame.head.api_count, rows)


def _page_rows(batch: _Batch, part: str) -> dict[str, list[PageRow]]:
    pages = defaultdict(list)
    for frame in batch.pages():
        head = frame.head
        pages[head.window].append(PageRow(head.page, head.rows, part))
    return pages


def _counters(batch: _Batch, verdicts: Verdicts, parts: list[RawPart]) -> dict[str, int]:
    games = verdicts.games
    return {
        "pages": len(batch.pages()),
        "games_seen": sum(games.values()),
        **{f"games_{kind}": count for kind, count in games.items()},
        "quarantined": batch.bad_on_page.total(),
        "bytes_raw": sum(part.manifest.bytes for part in parts),
    }
