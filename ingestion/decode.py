"""From a spool segment to tables: pure, so that it can be done in another process.

python -m ingestion.decode     reads lines of run id, tab, segment; answers as `write_answer`
"""

import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.rows import BadRow, GameRow, Lineage, games_table, quarantine_table, read_rows
from ingestion.spool import Frame, PageHead, read_segment
from storage.layout import GAMES
from storage.raw_parts import encode_part
from storage.raw_schema import RAW_GAMES
from utils.interpreter import seldom_collected

_KEYS = ["id", "updated", "_payload_hash"]
_PAGES_A_TABLE = 8
_WHOLE_ID = re.compile("[1-9][0-9]{0,17}")
Seen = tuple[int, str, str, str, str]  # id, updated, payload hash, listing, fetched at


@dataclass(frozen=True)
class Decoded:
    """The pages of one segment, their good and their bad rows, page after page.

    `good` and `bad` count the rows of each page; a page that was unreadable has neither, though
    it gives one row of `quarantine`. `keys` is what is compared of each good row, `part` holds all
    good rows encoded as a raw part: most segments of a first load are stored whole.
    """

    pages: tuple[PageHead, ...]
    good: tuple[int, ...]
    bad: tuple[int, ...]
    keys: pa.Table
    part: bytes
    quarantine: pa.Table

    @cached_property
    def readable(self) -> list[tuple[PageHead, list[int | None]]]:
        """Return the pages that were readable, each with the ids of its bad rows (or None)."""
        ids = map(_whole_id, self.quarantine["natural_id"].to_pylist())
        rows = (1 if page.failure else n for page, n in zip(self.pages, self.bad, strict=True))
        pairs = [(page, list(islice(ids, n))) for page, n in zip(self.pages, rows, strict=True)]
        return [(page, bad) for page, bad in pairs if not page.failure]

    def seen(self) -> Iterator[Seen]:
        """Yield what is compared of each good row."""
        columns = (self.keys[name].to_pylist() for name in _KEYS)
        pages = zip(self.pages, self.good, strict=True)
        origins = ((page.listing, page.fetched_at) for page, rows in pages for _ in range(rows))
        for natural_id, updated, payload_hash, origin in zip(*columns, origins, strict=True):
            yield (natural_id, updated, payload_hash, *origin)

    def part_of(self, positions: Sequence[int]) -> bytes:
        """Return the good rows at `positions` as a raw part."""
        if len(positions) == self.keys.num_rows:
            return self.part
        if not positions:
            return encode_part(RAW_GAMES.empty_table())
        games = pq.read_table(io.BytesIO(self.part), schema=RAW_GAMES)
        return encode_part(games.take(pa.array(positions, pa.int64())))


def decode(segment: Path, run_id: str) -> Decoded:
    """Read and type every row of a segment; a torn last page is left out."""
    pages, counts = list[PageHead](), list[tuple[int, int]]()
    tables, bad = list[Future[pa.Table]](), list[tuple[BadRow, Lineage]]()
    with ThreadPoolExecutor(1) as arrow:  # it needs no lock: tables are built while rows are read
        for frames in _batches(read_segment(segment)):
            good = list[tuple[GameRow, Lineage]]()
            for frame in frames:
                origin = _origin(frame.head, run_id)
                fine, broken = _rows(frame)
                good += [(row, origin) for row in fine]
                bad += [(row, origin) for row in broken]
                pages.append(frame.head)
                counts.append((len(fine), 0 if frame.head.failure else len(broken)))
            tables.append(arrow.submit(_table, good))
    games = pa.concat_tables([RAW_GAMES.empty_table(), *(table.result() for table in tables)])
    return Decoded(
        tuple(pages),
        tuple(fine for fine, _ in counts),
        tuple(broken for _, broken in counts),
        games.select(_KEYS),
        encode_part(games),
        quarantine_table(GAMES, [row for row, _ in bad], [origin for _, origin in bad]),
    )


def write_answer(out: BinaryIO, decoded: Decoded) -> None:
    """Write a line of JSON, the encoded part and two Arrow streams."""
    pages = [asdict(page) for page in decoded.pages]
    size = len(decoded.part)
    head = {"pages": pages, "good": decoded.good, "bad": decoded.bad, "part": size}
    out.write(json.dumps(head).encode() + b"\n")
    out.write(decoded.part)
    for table in (decoded.keys, decoded.quarantine):
        with pa.ipc.new_stream(out, table.schema) as stream:
            stream.write_table(table)
    out.flush()


def read_answer(source: BinaryIO) -> Decoded:
    """Read what `write_answer` wrote; raises ValueError or ArrowInvalid when it was cut short."""
    head = json.loads(source.readline())
    part = source.read(head["part"])
    keys, quarantine = (pa.ipc.open_stream(source).read_all() for _ in range(2))
    pages = tuple(PageHead(**page) for page in head["pages"])
    return Decoded(pages, tuple(head["good"]), tuple(head["bad"]), keys, part, quarantine)


class _NoPandas:
    """Arrow loads pandas, 0.2 s, only to see whether what it is given is of pandas."""

    def find_spec(self, name: str, *_: object) -> None:
        """Let nobody find it; see importlib.abc.MetaPathFinder."""
        if name == "pandas":
            raise ModuleNotFoundError("not in this process", name=name)


def main() -> None:
    """Decode segments until standard input closes: when the parent is gone, so is this."""
    sys.meta_path.insert(0, _NoPandas())
    with seldom_collected():
        for line in sys.stdin:
            run_id, _, segment = line.rstrip("\n").partition("\t")
            write_answer(sys.stdout.buffer, decode(Path(segment), run_id))


def _whole_id(text: str | None) -> int | None:
    """Return the id that a bad row's own words give, if it can be one (64 bits)."""
    return int(text) if text and _WHOLE_ID.fullmatch(text) else None


def _batches(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    while batch := list(islice(frames, _PAGES_A_TABLE)):
        yield batch


def _origin(head: PageHead, run_id: str) -> Lineage:
    return Lineage(datetime.fromisoformat(head.fetched_at), run_id, head.listing, head.window)


def _table(rows: list[tuple[GameRow, Lineage]]) -> pa.Table:
    return games_table([row for row, _ in rows], [origin for _, origin in rows])


def _rows(frame: Frame) -> tuple[list[GameRow], list[BadRow]]:
    if not frame.head.failure:
        return read_rows(frame.body)
    excerpt = frame.body.decode("utf-8", "backslashreplace")
    reason = f"page {frame.head.page} unreadable: {frame.head.failure}"
    return [], [BadRow(None, reason, excerpt)]


if __name__ == "__main__":
    main()
