"""Decoding segments beside the crawl: a helper process types the rows of the next segment while
this one compares and stores those of the last. Typing rows is what costs most, and one Python
process does one thing at a time."""

import os
import subprocess
import sys
from collections import deque
from pathlib import Path

import pyarrow as pa

from ingestion.decode import Decoded, decode, read_answer

_ROOT = Path(__file__).resolve().parents[1]
_WORTH_IT = 4  # segments of a run after which a helper pays for its start


class Decoder:
    """Decodes segments in the order they are given; `result` belongs to the oldest one.

    The helper is pure: it reads the segment and answers. If it dies, the segment is decoded here.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._given: deque[Path] = deque()
        self._count = 0
        self._helper: subprocess.Popen[bytes] | None = None
        self._sent: set[Path] = set()

    def __len__(self) -> int:
        return len(self._given)

    @property
    def helped(self) -> bool:
        """True when a helper is at work, so that giving a segment early saves time."""
        return self._helper is not None

    def give(self, segment: Path) -> None:
        """Begin to decode a segment."""
        self._given.append(segment)
        self._count += 1
        if self._count == _WORTH_IT and (os.cpu_count() or 1) > 1:
            self._helper = _start()
        if self._helper is not None and self._helper.stdin is not None:
            try:
                self._helper.stdin.write(f"{self._run_id}\t{segment}\n".encode())
                self._helper.stdin.flush()
                self._sent.add(segment)
            except OSError:
                self.close()

    def result(self) -> tuple[Path, Decoded]:
        """Return the oldest segment given, and what it holds."""
        segment = self._given.popleft()
        if segment in self._sent and self._helper is not None and self._helper.stdout is not None:
            self._sent.discard(segment)
            try:
                return segment, read_answer(self._helper.stdout)  # type: ignore[arg-type]
            except (OSError, ValueError, pa.ArrowException):
                self.close()
        return segment, decode(segment, self._run_id)

    def close(self) -> None:
        """End the helper."""
        self._sent.clear()
        if self._helper is not None:
            self._helper.kill()
            self._helper.communicate()
            self._helper = None


def _start() -> subprocess.Popen[bytes]:
    here = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(["", *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-m", "ingestion.decode"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        env=here,  # no secrets: it needs none
    )
