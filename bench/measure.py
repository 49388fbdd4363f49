"""Run one command and say what it cost: wall seconds, CPU seconds, peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """What a child process used; `told` is the JSON object that it printed on standard output."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    told: dict[str, Any]


def python(*arguments: str, env: Mapping[str, str] | None = None) -> Cost:
    """Run `python ARGUMENTS` to its end; raises RuntimeError with its last words on failure."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        start = time.perf_counter()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            child = subprocess.Popen(
                [sys.executable, *arguments],
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, **(env or {})},
            )
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if child.returncode != 0:
            raise RuntimeError(
                f"{arguments} ended with {child.returncode}: {err.read_text()[-2000:]}"
            )
        told = json.loads(out.read_text().strip().splitlines()[-1])
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(seconds, cpu, usage.ru_maxrss / 1024, told)
