"""Holding the right to write to a lake while a run works."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from storage.database.repositories.leases import Lease
from storage.database.session import Database
from storage.layout import WRITER_LEASE
from utils.errors import GamelakeError, Locked

_log = logging.getLogger(__name__)
_POLL_S = 0.5


@contextmanager
def hold_writer(
    database: Database,
    *,
    owner: str = "",
    ttl_s: float = 60.0,
    wait_s: float = 0.0,
    above: int = 0,
) -> Iterator[Lease]:
    """Hold the lake's writer lease; a thread renews it every third of `ttl_s` seconds.

    Pass the lease to `unit_of_work` to be fenced. Who publishes passes the catalog's fence as
    `above`: a store that was lost counts its leases from 1 again, and the catalog remembers the
    old ones. Raises Locked naming the holder when it is not free within `wait_s` seconds.
    """
    owner = owner or f"gamelake-{os.getpid()}"
    lease = _acquire(database, owner, ttl_s=ttl_s, wait_s=wait_s, above=above)
    try:
        with _heartbeat(database, lease, ttl_s):
            yield lease
    finally:
        _release(database, lease)


@contextmanager
def _heartbeat(database: Database, lease: Lease, ttl_s: float) -> Iterator[None]:
    stop = threading.Event()
    beat = threading.Thread(
        target=_renew_until, args=(stop, database, lease, ttl_s), name="lease", daemon=True
    )
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()


def _release(database: Database, lease: Lease) -> None:
    """Release without a word of its own to the user: how the run ended is what counts."""
    try:
        with database.unit_of_work() as unit:
            unit.leases.release(lease)
    except (GamelakeError, OSError) as error:
        _log.info("the lease was not released; it ends by itself: %s", error)


def _acquire(database: Database, owner: str, *, ttl_s: float, wait_s: float, above: int) -> Lease:
    clock = database.clock
    deadline = clock.monotonic() + wait_s
    while True:
        try:
            with database.unit_of_work() as unit:
                return unit.leases.acquire(WRITER_LEASE, owner, clock.now(), ttl_s, above=above)
        except Locked as error:
            if clock.monotonic() >= deadline:
                if wait_s:
                    error.hint = f"--wait {wait_s:g} was too short; give it more seconds"
                raise
        clock.sleep(_POLL_S)


def _renew_until(stop: threading.Event, database: Database, lease: Lease, ttl_s: float) -> None:
    while not stop.wait(ttl_s / 3):
        try:
            with database.unit_of_work() as unit:
                unit.leases.renew(lease, database.clock.now(), ttl_s)
        except GamelakeError as error:  # tried again; a lost lease is caught at the next commit
            _log.info("the lease was not renewed: %s", error)
