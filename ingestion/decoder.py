"""Decoding segments beside the crawl: helper processes type the rows of the next segments while
this one compares and stores those of the last. Typing rows is what costs most, and one Python
process does one thing at a time."""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pyarrow as pa

from ingestion.decode import Decoded, decode, read_answer

_ROOT = Path(__file__).resolve().parents[1]
_WORTH_IT = 4  # segments of a run after which helpers pay for their start
_HELPERS = 2  # what keeps up with one crawling process


class Decoder:
    """Decodes segments in the order they are given; `result` belongs to the oldest one.

    Helpers are pure: they read a segment and answer. If one dies, its segments are decoded here.
    """

    def __init__(self, run_id: str, *, segments: int = 0) -> None:
        """Expect `segments`: with many, helpers start before the first is given."""
        self._run_id = run_id
        self._given: deque[_Given] = deque()
        self._count = 0
        self._helpers: list[_Helper] = []
        self._turns: Iterator[_Helper] = iter(())
        if segments >= _WORTH_IT:
            self._start()

    def __len__(self) -> int:
        return len(self._given)

    @property
    def helpers(self) -> int:
        """How many helpers are at work: so many segments may be given before a result is asked."""
        return sum(helper.alive for helper in self._helpers)

    def give(self, segment: Path) -> None:
        """Begin to decode a segment."""
        self._count += 1
        if self._count == _WORTH_IT and not self._helpers:
            self._start()
        helper = next(self._turns, None)
        sent = helper is not None and helper.send(f"{self._run_id}\t{segment}\n")
        self._given.append(_Given(segment, helper if sent else None))

    def result(self) -> tuple[Path, Decoded]:
        """Return the oldest segment given, and what it holds."""
        given = self._given.popleft()
        answer = given.helper.answer() if given.helper is not None else None
        return given.segment, answer or decode(given.segment, self._run_id)

    def close(self) -> None:
        """End the helpers."""
        for helper in self._helpers:
            helper.close()

    def _start(self) -> None:
        spare = (os.cpu_count() or 1) - 1
        self._helpers = [_Helper() for _ in range(min(_HELPERS, spare))]
        self._turns = cycle(self._helpers)


class _Helper:
    """A process that answers segments in the order in which they are sent to it."""

    def __init__(self) -> None:
        here = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(["", *sys.path])}
        self.alive = True
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ingestion.decode"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what it cannot do is done in this process, and told here
            cwd=_ROOT,
            env=here,  # no secrets: it needs none
            process_group=0,  # a terminal's Ctrl-C is for this process, which ends in order
        )

    def send(self, line: str) -> bool:
        """Send a line; False when the helper is gone."""
        if not self.alive or self.process.stdin is None:
            return False
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except OSError:
            self.close()
        return self.alive

    def answer(self) -> Decoded | None:
        """Return the next answer; None when the helper is gone."""
        if not self.alive or self.process.stdout is None:
            return None
        try:
            return read_answer(self.process.stdout)  # type: ignore[arg-type]
        except (OSError, ValueError, pa.ArrowException):
            self.close()
            return None

    def close(self) -> None:
        """End the process; what it was asked is left to the caller."""
        if self.alive:
            self.alive = False
            self.process.kill()
            self.process.communicate()


@dataclass(frozen=True)
class _Given:
    """A segment, and the helper that it was sent to."""

    segment: Path
    helper: _Helper | None
