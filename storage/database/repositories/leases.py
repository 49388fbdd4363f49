"""Leases: one holder at a time, and an epoch by which an old holder is told from the new one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from storage.database import models
from storage.database.processes import Process, is_gone, this_process
from storage.database.repositories.upsert import insert_missing, upsert
from utils.clock import iso
from utils.errors import Locked


@dataclass(frozen=True)
class Lease:
    """The right to write, until `expires_at` (ISO text) or until `epoch` is no longer current."""

    name: str
    owner: str
    epoch: int
    pid: int
    host: str
    expires_at: str


class _Held(NamedTuple):
    """A stored lease; `expires_at` is None after its release."""

    owner: str
    epoch: int
    pid: int
    process: str
    host: str
    expires_at: str | None


class LeaseRepository:
    """Hands out leases. The surrounding transaction makes each call atomic."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def acquire(
        self, name: str, owner: str, now: datetime, ttl_s: float, *, above: int = 0
    ) -> Lease:
        """Take the lease if it is free, expired, or held by a process that is dead.

        Its epoch is higher than that of any lease before it, and than `above`. Raises Locked
        naming the holder.
        """
        # A row to lock must exist, or two first takers would both get epoch 1.
        insert_missing(self._connection, models.LeaseRow, [{"name": name, **_NEVER_TAKEN}])
        held = self._row(name, lock=True)
        if held is None or not _is_free(held, now):
            raise _held_by(name, held)
        process = this_process()
        epoch = max(held.epoch, above) + 1
        lease = Lease(name, owner, epoch, process.pid, process.host, _end(now, ttl_s))
        upsert(self._connection, models.LeaseRow, [vars(lease) | {"process": process.identity}])
        return lease

    def renew(self, lease: Lease, now: datetime, ttl_s: float) -> Lease:
        """Put the end off; raises Locked when another holder has taken over."""
        self.check(lease)
        expires_at = _end(now, ttl_s)
        self._update(lease, expires_at=expires_at)
        return Lease(**{**vars(lease), "expires_at": expires_at})

    def release(self, lease: Lease) -> None:
        """Free the lease; nothing happens when it is another's by now."""
        self._update(lease, expires_at=None)

    def current(self, name: str) -> Lease | None:
        """Return the lease as stored, dead or alive; None when it was never taken or is free."""
        row = self._row(name)
        if row is None or row.expires_at is None:
            return None
        return Lease(name, row.owner, row.epoch, row.pid, row.host, row.expires_at)

    def holder(self, name: str, now: datetime) -> Lease | None:
        """Return the lease that keeps others out at this moment; None when it can be taken."""
        row = self._row(name)
        return None if row is None or _is_free(row, now) else self.current(name)

    def check(self, lease: Lease) -> None:
        """Raise Locked when `lease` is no longer the current one (the fence).

        Locks the row, so that no other holder can come in before our transaction ends.
        """
        row = self._row(lease.name, lock=True)
        if row is None or row.epoch != lease.epoch or row.expires_at is None:
            raise _fenced(lease, row)

    def _row(self, name: str, *, lock: bool = False) -> _Held | None:
        query = select(
            models.LeaseRow.owner,
            models.LeaseRow.epoch,
            models.LeaseRow.pid,
            models.LeaseRow.process,
            models.LeaseRow.host,
            models.LeaseRow.expires_at,
        ).where(models.LeaseRow.name == name)
        locked = query.with_for_update() if lock else query
        row = self._connection.execute(locked).one_or_none()
        return None if row is None else _Held(*row)

    def _update(self, lease: Lease, *, expires_at: str | None) -> None:
        own = update(models.LeaseRow).where(
            models.LeaseRow.name == lease.name, models.LeaseRow.epoch == lease.epoch
        )
        self._connection.execute(own.values(expires_at=expires_at))


_NEVER_TAKEN: dict[str, object] = _Held("", 0, 0, "", "", None)._asdict()


def _is_free(row: _Held, now: datetime) -> bool:
    if row.expires_at is None or row.expires_at <= iso(now):
        return True
    return is_gone(Process(row.host, row.pid, row.process))


def _end(now: datetime, ttl_s: float) -> str:
    return iso(now + timedelta(seconds=ttl_s))


def _holder(row: _Held | None) -> str:
    return f"{row.owner} (process {row.pid} on {row.host})" if row is not None else "nobody"


def _held_by(name: str, row: _Held | None) -> Locked:
    return Locked(
        f"{_holder(row)} is writing to this lake",
        operation="take the lease",
        subject=name,
        hint="wait for it to end, or add --wait SECONDS",
    )


def _fenced(lease: Lease, row: _Held | None) -> Locked:
    return Locked(
        f"{lease.owner} lost its lease on this lake; {_holder(row)} holds it now",
        operation="commit",
        subject=lease.name,
        hint="nothing of this step was stored; start the command again",
    )
