"""Run a scenario in a child process that dies or fails at one counted operation.

Children come from a fork server that has imported the heavy libraries but opened nothing, so a
child costs milliseconds and carries no connection or thread over the fork.
"""

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from utils import seams
from utils.errors import exit_code

_context = multiprocessing.get_context("forkserver")
PRELOAD = [
    "lakes",
    "gamelake.commands.ingest",
    "gamelake.commands.etl",
    "pyiceberg.catalog.sql",
    "ibis.backends.sql.compilers.duckdb",
    "sqlalchemy.dialects.postgresql.psycopg",
]


@dataclass(frozen=True)
class Outcome:
    """How a child ended: killed by our fault, or with `exit_code`, having `fired` faults."""

    killed: bool
    exit_code: int
    fired: int
    trace: tuple[tuple[str, int], ...]
    result: Any
    error: str
    traceback: str

    @property
    def fault_fired(self) -> bool:
        """A test whose fault did not fire has tested nothing."""
        return self.killed or self.fired > 0


def run(
    scenario: Callable[..., Any],
    *args: Any,
    fault: seams.Fault | None = None,
    timeout_s: float = 120,
) -> Outcome:
    """Run `scenario(*args)` in a child with `fault` armed; both must be importable by name."""
    _serve()
    handle, report = tempfile.mkstemp(suffix=".json")
    os.close(handle)
    child = _context.Process(target=_child, args=(scenario, args, fault, report))
    child.start()
    child.join(timeout_s)
    if child.is_alive():
        child.kill()
        child.join()
        raise TimeoutError(f"{scenario.__name__} hung with {fault}")
    try:
        return _outcome(child.exitcode, Path(report))
    finally:
        child.close()
        Path(report).unlink()


@cache
def _serve() -> None:
    """Start the fork server; it knows this process's import path only by the environment."""
    _context.set_forkserver_preload(PRELOAD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        forkserver.ensure_running()


def _outcome(status: int | None, report: Path) -> Outcome:
    if status == -signal.SIGKILL:
        return Outcome(True, -signal.SIGKILL, 1, (), None, "", "")
    if not report.stat().st_size:
        raise AssertionError(f"the child died without a word: exit status {status}")
    told = json.loads(report.read_text())
    trace = tuple((name, ordinal) for name, ordinal in told.pop("trace"))
    return Outcome(killed=False, trace=trace, **told)


def _child(
    scenario: Callable[..., Any], args: tuple[Any, ...], fault: seams.Fault | None, report: str
) -> None:
    seams.arm(fault, trace=True)
    told: dict[str, Any] = {"exit_code": 0, "result": None, "error": "", "traceback": ""}
    try:
        told["result"] = scenario(*args)
    except BaseException as error:  # noqa: BLE001 - the parent decides what the error means
        told["exit_code"] = exit_code(error)
        told["error"] = f"{type(error).__name__}: {error}"
        told["traceback"] = traceback.format_exc()
    told["trace"] = seams.traced()
    told["fired"] = fault.fired if fault else 0
    Path(report).write_text(json.dumps(told, default=str))
