"""The spool: what was promised durable is read back whole, whatever the end looks like."""

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.spool import PageHead, Spool, delete_segment, left_behind, read_segment
from utils import seams
from utils.clock import FetchClock, SystemClock
from utils.errors import GamelakeError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def head(page: int) -> PageHead:
    return PageHead("w", page, 1_000, "browse", 40)


def spool(folder: Path, pages: int = 1_000) -> Spool:
    return Spool(folder / "run", FetchClock(SystemClock(), NOON), pages_a_segment=pages)


def pages_in(segment: Path) -> list[int]:
    return [frame.head.page for frame in read_segment(segment)]


def test_pages_come_back_as_they_were_given(tmp_path: Path) -> None:
    own = spool(tmp_path)
    for page, body in enumerate([b"[]", b"", b'[{"a": "\xff"}]', b"x" * 300_000], start=1):
        own.append(head(page), body)
    own.seal()
    segment = own.take(0)
    assert segment is not None
    frames = list(read_segment(segment))

    assert [frame.body[:20] for frame in frames] == [b"[]", b"", b'[{"a": "\xff"}]', b"x" * 20]
    assert [frame.head.page for frame in frames] == [1, 2, 3, 4]
    stamps = [frame.head.fetched_at for frame in frames]
    assert stamps == sorted(set(stamps))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_torn_or_damaged_tail_costs_only_itself(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    own = spool(folder)
    ends = []
    for page in range(1, 5):
        own.append(head(page), b"row" * page)
        ends.append(left_behind(folder)[0].stat().st_size)
    own.close()
    (segment,) = left_behind(folder)
    content = segment.read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    if data.draw(st.booleans()):
        segment.write_bytes(content[:cut])
    else:
        damaged = bytearray(content)
        cut = min(cut, len(content) - 1)
        damaged[cut] ^= 0x55
        segment.write_bytes(damaged)
    whole = [page for page, end in enumerate(ends, start=1) if end <= cut]

    assert pages_in(segment)[: len(whole)] == whole
    assert pages_in(segment) == list(range(1, len(pages_in(segment)) + 1))


def test_a_full_segment_is_handed_over_and_the_next_one_sorts_after_it(tmp_path: Path) -> None:
    own = spool(tmp_path, pages=2)
    for page in range(1, 6):
        own.append(head(page), b"[]")
    own.seal()
    taken = [own.take(0), own.take(0), own.take(0), own.take(0)]

    assert taken[3] is None
    segments = [segment for segment in taken if segment is not None]
    assert segments == sorted(segments) == left_behind(tmp_path)
    assert [pages_in(segment) for segment in segments] == [[1, 2], [3, 4], [5]]


def test_many_threads_share_syncs_and_lose_nothing(tmp_path: Path) -> None:
    own = spool(tmp_path, pages=16)

    def work(first: int) -> None:
        for page in range(first, first + 50):
            own.append(head(page), b"[1]")

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own.seal()
    found = [page for segment in left_behind(tmp_path) for page in pages_in(segment)]

    assert sorted(found) == [f + i for f in (0, 100, 200, 300) for i in range(50)]


@pytest.mark.parametrize("name", ["spool.append", "spool.sync"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_failed_write_nothing_more_is_taken(tmp_path: Path, name: str, when: str) -> None:
    own = spool(tmp_path)
    own.append(head(1), b"[]")
    seams.arm(seams.Fault("error", when, name, 1))  # type: ignore[arg-type]
    try:
        with pytest.raises(OSError, match="No space"):
            own.append(head(2), b"[]")
    finally:
        seams.arm(None)
    with pytest.raises(GamelakeError, match="cannot be written"):
        own.append(head(3), b"[]")
    own.seal()
    segment = own.take(0)

    assert segment is not None
    assert pages_in(segment)[0] == 1
    assert 3 not in pages_in(segment)


def test_every_page_is_synced_before_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (sizes.append(os.fstat(fd).st_size), fsync(fd)))
    own = spool(tmp_path)
    own.append(head(1), b"[]" * 500)
    (segment,) = left_behind(tmp_path)

    assert segment.stat().st_size in sizes
    own.close()


def test_a_deleted_segment_may_be_deleted_again(tmp_path: Path) -> None:
    own = spool(tmp_path)
    own.append(head(1), b"[]")
    own.close()
    (segment,) = left_behind(tmp_path)
    delete_segment(segment)
    delete_segment(segment)

    assert left_behind(tmp_path) == []
