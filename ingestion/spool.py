"""The spool: pages are appended here and durable before anything counts on them.

A segment is a file of frames; a frame is `length of head, length of packed body, length of body,
CRC-32 (of packed body and head)`, the head (JSON) and the body (the rows as the source sent them)
packed by LZ4: a sync costs what it has to write. A torn last frame is what a crash leaves: it is
ignored, because nobody was told that it is durable.
"""

import json
import os
import struct
import threading
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from utils.clock import FetchClock, iso
from utils.durable import sync_folder
from utils.errors import GamelakeError
from utils.seams import operation

_PREFIX = struct.Struct(">IIII")
_PACK = pa.Codec("lz4")
_SUFFIX = ".spool"
_NAME = "%Y%m%dt%H%M%S-%f"


@dataclass(frozen=True)
class PageHead:
    """Where a spooled page came from. `failure` is set for a page that stayed unreadable."""

    window: str
    page: int
    api_count: int
    listing: str
    rows: int
    fetched_at: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Frame:
    """One spooled page: its head, and its rows as a JSON array."""

    head: PageHead
    body: bytes


class Spool:
    """The open spool of one run. Threads append; one thread takes the sealed segments away."""

    def __init__(self, folder: Path, clock: FetchClock, *, pages_a_segment: int) -> None:
        self._folder = folder
        self._clock = clock
        self._pages_a_segment = pages_a_segment
        self._lock = threading.Lock()
        self._syncing = threading.Lock()
        self._sealed: deque[Path] = deque()
        self._changed = threading.Condition(self._lock)
        self._file: int | None = None
        self._path = folder
        self._frames = self._written = self._synced = 0
        self._broken = False

    def append(self, head: PageHead, body: bytes) -> None:
        """Write a page, stamped with its time, and return when it is durable.

        Raises OSError when the disk refuses; the spool takes nothing more after that.
        """
        packed = _PACK.compress(body, asbytes=True)
        checksum = zlib.crc32(packed)  # here: it lets other threads run, who may need the lock
        with self._lock:
            self._refuse_when_broken()
            with self._breaking():  # half a frame would hide what follows it
                self._write(head, packed, len(body), checksum)
            self._written += 1
            mine = self._written
        self._sync_up_to(mine)
        self._seal_when_full()

    def seal(self) -> None:
        """Close the open segment, if it holds anything, and hand it to `take`."""
        with self._syncing, self._lock:
            self._seal()

    def take(self, timeout: float) -> Path | None:
        """Return the oldest sealed segment that was not taken yet; wait `timeout` seconds."""
        with self._changed:
            if not self._sealed:
                self._changed.wait(timeout)
            if not self._sealed:
                return None
            self._changed.notify_all()
            return self._sealed.popleft()

    def wait_for_room(self, segments: int, timeout: float) -> bool:
        """Wait until at most `segments` sealed ones wait to be taken; False when they still do."""
        if len(self._sealed) <= segments:  # mostly: spare the lock
            return True
        with self._changed:
            return self._changed.wait_for(lambda: len(self._sealed) <= segments, timeout)

    def close(self) -> None:
        """Close the open segment as it is and take nothing more."""
        with self._syncing, self._lock:
            self._broken = True
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _write(self, head: PageHead, packed: bytes, size: int, checksum: int) -> None:
        fetched_at = self._clock.stamp()
        encoded = json.dumps({**vars(head), "fetched_at": iso(fetched_at)}).encode()
        prefix = _PREFIX.pack(len(encoded), len(packed), size, zlib.crc32(encoded, checksum))
        with operation("spool.append"):
            whole = _PREFIX.size + len(encoded) + len(packed)
            if os.writev(self._open(fetched_at), (prefix, encoded, packed)) != whole:
                raise OSError(28, "No space left on device", str(self._path))
        self._frames += 1

    def _open(self, fetched_at: datetime) -> int:
        """Return the open file; a new segment is named after its first page, so never twice."""
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._path = self._folder / f"{fetched_at:{_NAME}}{_SUFFIX}"
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
            self._file = os.open(self._path, flags, 0o644)
            sync_folder(self._folder)
        return self._file

    def _sync_up_to(self, frame: int) -> None:
        with self._syncing:  # whoever comes first syncs for all that wait behind it
            if self._synced >= frame:
                return
            with self._lock:
                self._refuse_when_broken()
                written, file = self._written, self._file
            if file is not None:
                self._sync(file)
            self._synced = written

    def _sync(self, file: int) -> None:
        # After a failed fsync a second one may succeed although pages were dropped.
        with self._breaking(), operation("spool.sync"):
            os.fsync(file)

    @contextmanager
    def _breaking(self) -> Iterator[None]:
        whole = False
        try:
            yield
            whole = True
        finally:
            self._broken = self._broken or not whole

    def _seal_when_full(self) -> None:
        if self._frames < self._pages_a_segment:
            return
        with self._syncing, self._lock:
            if self._frames >= self._pages_a_segment:
                self._seal()

    def _seal(self) -> None:
        if self._file is None:
            return
        if not self._broken and self._synced < self._written:
            self._sync(self._file)
            self._synced = self._written
        os.close(self._file)
        self._file, self._frames = None, 0
        self._sealed.append(self._path)
        self._changed.notify_all()

    def _refuse_when_broken(self) -> None:
        if self._broken:
            raise GamelakeError(
                "the spool cannot be written any more",
                operation="spool a page",
                subject=str(self._folder),
                hint="free space and start the same command again; what was read is kept",
            )


def left_behind(spool: Path) -> list[Path]:
    """Return the segments that earlier processes left, run by run, oldest first."""
    return sorted(spool.glob(f"*/*{_SUFFIX}"))


def read_segment(path: Path) -> Iterator[Frame]:
    """Yield the whole frames of a segment and stop at a torn one."""
    with path.open("rb") as file:
        while len(prefix := file.read(_PREFIX.size)) == _PREFIX.size:
            head_size, packed_size, size, checksum = _PREFIX.unpack(prefix)
            head, packed = file.read(head_size), file.read(packed_size)
            if len(packed) != packed_size or zlib.crc32(head, zlib.crc32(packed)) != checksum:
                return
            body = _PACK.decompress(packed, size, asbytes=True)
            yield Frame(PageHead(**json.loads(head)), body)


def delete_segment(path: Path) -> None:
    """Remove a segment whose pages are all durable elsewhere."""
    with operation("spool.delete"):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
