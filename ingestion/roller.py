"""Turns a sealed spool segment into raw parts, and only then forgets the segment.

Order: part, manifest, quarantine part, manifest, one commit to the store, removal. A crash
anywhere leaves the segment, and the next process rolls it again: parts whose manifest names the
segment are adopted instead of written twice, and a commit that had happened is not repeated.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ingestion.classify import Verdicts, classify
from ingestion.decode import Decoded, decode
from ingestion.journal import Rolled, RunJournal
from ingestion.spool import PageHead, delete_segment
from storage.database.repositories.windows import PageRow, WindowRow
from storage.layout import GAMES, QUARANTINE, SOURCE_RAWG
from storage.object_store import ObjectStore
from storage.raw_parts import (
    Manifest,
    PageRef,
    RawPart,
    encode_part,
    list_parts,
    next_part_number,
    store_part,
)

# Returns the windows as they stand once these pages are in raw.
WindowsAfter = Callable[[list[PageHead]], list[WindowRow]]


class Roller:
    """Rolls the segments of one run, oldest first."""

    def __init__(self, store: ObjectStore, journal: RunJournal) -> None:
        self._store = store
        self._journal = journal
        self._numbers: dict[str, int] = {}

    def roll(
        self, segment: Path, windows_after: WindowsAfter, decoded: Decoded | None = None
    ) -> None:
        """Make the pages of `segment` part of raw and of the store, then delete it.

        `decoded` is what the segment holds, if somebody has read it already.
        """
        if segment.name > self._journal.summary.get("rolled", ""):
            batch = decoded or decode(segment, self._journal.run_id)
            if batch.pages:
                self._store_batch(segment.name, batch, windows_after)
        delete_segment(segment)

    def _store_batch(self, segment: str, batch: Decoded, windows_after: WindowsAfter) -> None:
        verdicts = self._classify(batch)
        parts = self._parts_of(segment)
        if GAMES not in parts:
            parts[GAMES] = self._write_games(segment, batch, verdicts)
        if batch.quarantine.num_rows and QUARANTINE not in parts:
            parts[QUARANTINE] = self._write_quarantine(segment, batch)
        rolled = Rolled(
            segment,
            batch.pages[-1].fetched_at,
            verdicts,
            _page_rows(batch, parts[GAMES].key),
            [known for _, bad in batch.readable for known in bad if known is not None],
            _counters(batch, verdicts, list(parts.values())),
        )
        self._journal.roll(rolled, windows_after([page for page, _ in batch.readable]))

    def _classify(self, batch: Decoded) -> Verdicts:
        known = self._journal.known(batch.keys["id"].unique().to_pylist())
        since = self._journal.start.get("since", "")
        return classify(batch.seen(), known, run_id=self._journal.run_id, read_before=since)

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

    def _write_games(self, segment: str, batch: Decoded, verdicts: Verdicts) -> RawPart:
        manifest = replace(
            self._manifest(GAMES, segment, batch),
            rows=len(verdicts.stored),
            pages=tuple(_page_ref(page, page.rows) for page, _ in batch.readable),
            new=verdicts.rows["new"],
            changed=verdicts.rows["changed"],
            enriched=verdicts.rows["enriched"],
            unchanged=verdicts.rows["unchanged"],
            quarantined=sum(batch.bad),
        )
        return self._write(batch.part_of(verdicts.stored), manifest)

    def _write_quarantine(self, segment: str, batch: Decoded) -> RawPart:
        manifest = replace(
            self._manifest(QUARANTINE, segment, batch),
            rows=batch.quarantine.num_rows,
            pages=tuple(_page_ref(page, len(bad)) for page, bad in batch.readable if bad),
            quarantined=sum(batch.bad),
        )
        return self._write(encode_part(batch.quarantine), manifest)

    def _manifest(self, entity: str, segment: str, batch: Decoded) -> Manifest:
        """Return a manifest that counts nothing yet."""
        heads = batch.pages
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

    def _write(self, data: bytes, manifest: Manifest) -> RawPart:
        part = store_part(self._store, data, manifest)
        self._numbers[manifest.entity] += 1
        return part


_COUNTS = ("rows", "new", "changed", "enriched", "unchanged", "quarantined", "bytes")


def _page_ref(page: PageHead, rows: int) -> PageRef:
    return PageRef(page.window, page.page, page.api_count, rows)


def _page_rows(batch: Decoded, part: str) -> dict[str, list[PageRow]]:
    pages = defaultdict(list)
    for page, bad in batch.readable:
        pages[page.window].append(PageRow(page.page, page.rows, part, bad.count(None)))
    return pages


def _counters(batch: Decoded, verdicts: Verdicts, parts: list[RawPart]) -> dict[str, int]:
    games = verdicts.games
    return {
        "pages": len(batch.readable),
        "games_seen": sum(games.values()),
        **{f"games_{kind}": count for kind, count in games.items()},
        "quarantined": sum(batch.bad),
        "bytes_raw": sum(part.manifest.bytes for part in parts),
    }
