"""Builds in processes of their own, which can be frozen and thawed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakes import LakeUnderTest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60


@contextmanager
def etl(lake: LakeUnderTest, *argv: str) -> Iterator[subprocess.Popen[str]]:
    """Start `gamelake etl` in a process of its own."""
    command = [sys.executable, "-m", "gamelake", "etl", *argv, "--json"]
    environ = {**os.environ, **lake.environ, "PYTHONPATH": str(ROOT)}
    lake.home.mkdir(exist_ok=True)
    with subprocess.Popen(
        command, env=environ, cwd=lake.home, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def stop_while_building(lake: LakeUnderTest, process: subprocess.Popen[str]) -> None:
    """Freeze a build as soon as its branch exists; the lease is its own then."""
    deadline = time.monotonic() + SECONDS
    with lake.open() as opened:
        while not any(name.startswith("etl-") for name in opened.catalog.references()):
            assert process.poll() is None, "the build ended before it could be frozen"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    process.send_signal(signal.SIGSTOP)


def ended(process: subprocess.Popen[str]) -> dict[str, object]:
    """Return what a build that has to succeed printed."""
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, out
    told: dict[str, object] = json.loads(out)
    return told
