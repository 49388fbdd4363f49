"""From a spool segment to tables: pure, so that it can be done in another process.

python -m ingestion.decode     reads lines of run id, tab, segment; answers as `write_answer`
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from ingestion.rows import BadRow, GameRow, Lineage, games_table, quarantine_table, read_rows
from ingestion.spool import Frame, PageHead, read_segment
from storage.layout import GAMES

Seen = tuple[int, str, str, str, str]  # id, updated, payload hash, listing, fetched at


@dataclass(frozen=True)
class Decoded:
    """The pages of one segment. Tables hold the good and the bad rows, page after page.

    `good` and `bad` count the rows of each page; a page that was unreadable has neither, though
    it gives one row of `quarantine`.
    """

    pages: tuple[PageHead, ...]
    good: tuple[int, ...]
    bad: tuple[int, ...]
    games: pa.Table
    quarantine: pa.Table

    def read(self) -> list[tuple[PageHead, int]]:
        """Return the pages that were readable, each with its number of bad rows."""
        pairs = zip(self.pages, self.bad, strict=True)
        return [(page, bad) for page, bad in pairs if not page.failure]

    def seen(self) -> Iterator[Seen]:
        """Yield what is compared of each good row."""
        columns = (self.games[name].to_pylist() for name in ("id", "updated", "_payload_hash"))
        pages = zip(self.pages, self.good, strict=True)
        origins = ((page.listing, page.fetched_at) for page, rows in pages for _ in range(rows))
        for natural_id, updated, payload_hash, origin in zip(*columns, origins, strict=True):
            yield (natural_id, updated, payload_hash, *origin)


def decode(segment: Path, run_id: str) -> Decoded:
    """Read and type every row of a segment; a torn last page is left out."""
    pages, counts = [], []
    good, bad = list[tuple[GameRow, Lineage]](), list[tuple[BadRow, Lineage]]()
    for frame in read_segment(segment):
        head = frame.head
        origin = Lineage(datetime.fromisoformat(head.fetched_at), run_id, head.listing, head.window)
        fine, broken = _rows(frame)
        good += [(row, origin) for row in fine]
        bad += [(row, origin) for row in broken]
        pages.append(head)
        counts.append((len(fine), 0 if head.failure else len(broken)))
    return Decoded(
        tuple(pages),
        tuple(fine for fine, _ in counts),
        tuple(broken for _, broken in counts),
        games_table([row for row, _ in good], [origin for _, origin in good]),
        quarantine_table(GAMES, [row for row, _ in bad], [origin for _, origin in bad]),
    )


def write_answer(out: BinaryIO, decoded: Decoded) -> None:
    """Write a line of JSON and two Arrow streams."""
    pages = [asdict(page) for page in decoded.pages]
    head = {"pages": pages, "good": decoded.good, "bad": decoded.bad}
    out.write(json.dumps(head).encode() + b"\n")
    for table in (decoded.games, decoded.quarantine):
        with pa.ipc.new_stream(out, table.schema) as stream:
            stream.write_table(table)
    out.flush()


def read_answer(source: BinaryIO) -> Decoded:
    """Read what `write_answer` wrote; raises ValueError or ArrowInvalid when it was cut short."""
    head = json.loads(source.readline())
    games, quarantine = (pa.ipc.open_stream(source).read_all() for _ in range(2))
    pages = tuple(PageHead(**page) for page in head["pages"])
    return Decoded(pages, tuple(head["good"]), tuple(head["bad"]), games, quarantine)


def main() -> None:
    """Decode segments until standard input closes: when the parent is gone, so is this."""
    for line in sys.stdin:
        run_id, _, segment = line.rstrip("\n").partition("\t")
        write_answer(sys.stdout.buffer, decode(Path(segment), run_id))


def _rows(frame: Frame) -> tuple[list[GameRow], list[BadRow]]:
    if not frame.head.failure:
        return read_rows(frame.body)
    excerpt = frame.body.decode("utf-8", "backslashreplace")
    reason = f"page {frame.head.page} unreadable: {frame.head.failure}"
    return [], [BadRow(None, reason, excerpt)]


if __name__ == "__main__":
    main()
