"""What several processes do to one operational store at once; run by `multiprocessing`."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from storage_scenarios import small_ingest

from storage.database import engines, postgres_engine
from storage.database.session import Database
from storage.database.writer import hold_writer
from utils.errors import Locked

_context = multiprocessing.get_context("spawn")


def at_once(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return the result of `work(*one)` for each of `arguments`, a process for each."""
    with _context.Pool(len(arguments)) as pool:
        results = pool.starmap(work, arguments, chunksize=1)
        pool.close()
        pool.join()
    return results


def open_store(url: str) -> int:
    """Open the store, which migrates it, and return how many runs it knows."""
    with Database.open(url) as database, database.reading() as unit:
        return len(unit.runs.list())


def add_under_lease(url: str, times: int) -> list[int]:
    """Add one to a counter, `times` times, each under a lease of its own; return the epochs."""
    epochs = []
    with Database.open(url) as database:
        while len(epochs) < times:
            try:
                with hold_writer(database) as lease:
                    with database.unit_of_work(lease) as unit:
                        unit.state.set("n", str(int(unit.state.get("n") or 0) + 1))
                    epochs.append(lease.epoch)
            except Locked:
                time.sleep(0.002)
    return epochs


def write_under_a_lost_lease(url: str, name: str, pause_s: float) -> str:
    """Take a lease of a moment, be late, then write: return what came of it."""
    with Database.open(url) as database:
        with database.unit_of_work() as unit:
            lease = unit.leases.acquire("writer", name, database.clock.now(), 0.01)
        time.sleep(pause_s)
        try:
            with database.unit_of_work(lease) as unit:
                written = (unit.state.get("writers") or "").split()
                unit.state.set("writers", " ".join([*written, name]))
        except Locked:
            return "fenced"
        return "stored"


def ingest_and_kill(home: Path, url: str, pid: int, at: tuple[str, int]) -> int:
    """Run a small ingest, kill the server before or after its n-th commit (from 0): `at`.

    Returns how many commits there were.
    """
    when, nth = at
    numbers = count()
    commit = engines.commit_known

    def kill_at(connection: Connection) -> None:
        mine = next(numbers) == nth
        if mine and when == "before":
            os.kill(pid, signal.SIGKILL)
        commit(connection)
        if mine and when == "after":
            os.kill(pid, signal.SIGKILL)

    engines.commit_known = kill_at
    postgres_engine._SETTLE_S = 0.3
    small_ingest(home, url)
    return next(numbers)
