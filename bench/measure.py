"""Run one command and say what it cost: wall seconds, CPU seconds, peak memory."""

import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_S = 0.02
_MB = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """What a command used, helper processes included.

    seconds: from start to end, start-up included
    cpu_seconds: of all its processes
    peak_mb: the most that all its processes had resident at once, sampled every 20 ms; pages
        that they share count once for each
    told: the last JSON object that it printed on standard output
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    told: dict[str, Any]


class TooMuchMemoryError(Exception):
    """A command was ended because it needed more memory than it was given."""


def run(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, ceiling_mb: float = math.inf
) -> Cost:
    """Run `command` to its end; raises RuntimeError with its last words on failure.

    Above `ceiling_mb` it is ended, with its helper processes: TooMuchMemoryError.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        with out.open("wb") as stdout, err.open("wb") as stderr:
            before, start = _children_cpu(), time.perf_counter()
            child = subprocess.Popen(
                command, stdout=stdout, stderr=stderr, env={**os.environ, **(env or {})}
            )
            with _Sampler(child.pid, ceiling_mb * _MB) as memory:
                child.wait()
            seconds = time.perf_counter() - start
        if memory.peak > ceiling_mb * _MB:
            raise TooMuchMemoryError(f"more than {ceiling_mb:,.0f} MB")
        if child.returncode != 0:
            words = err.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{list(command)} ended with {child.returncode}: {words}")
        told = _last_object(out.read_text())
    return Cost(seconds, _children_cpu() - before, memory.peak / _MB, told)


def python(*arguments: str, env: Mapping[str, str] | None = None) -> Cost:
    """Run `python ARGUMENTS` of this environment to its end."""
    return run([sys.executable, *arguments], env=env)


def _last_object(text: str) -> dict[str, Any]:
    lines = [line for line in text.splitlines() if line.startswith("{")]
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _children_cpu() -> float:
    """CPU seconds of every ended child and, where they waited for them, of its children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Sampler:
    """Watches the memory of a process and its descendants, and ends them above a ceiling.

    `peak` and `ceiling` are bytes.
    """

    def __init__(self, pid: int, ceiling: float) -> None:
        self.peak = 0
        self._ceiling = ceiling
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            every = descendants(self._pid)
            self.peak = max(self.peak, sum(map(resident, every)))
            if self.peak > self._ceiling:
                for pid in every:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    """Return `pid` and the processes below it; those that ended meanwhile are left out."""
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found


def _children(pid: int) -> list[int]:
    try:
        tasks = [*Path(f"/proc/{pid}/task").iterdir()]
        return [int(child) for t in tasks for child in (t / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def resident(pid: int) -> int:
    """Return the resident bytes of a process; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return pages * resource.getpagesize()
