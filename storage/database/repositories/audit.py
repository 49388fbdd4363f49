"""The audit trail: what was done to the lake, and when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from storage.database import models
from utils.clock import iso


@dataclass(frozen=True)
class AuditRow:
    """One entry. `at` is ISO text, UTC."""

    at: str
    action: str
    subject: str
    detail: str


class AuditRepository:
    """Entries are only ever added."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, action: str, subject: str, detail: str, now: datetime) -> None:
        """Note that `action` was done to `subject`."""
        row = AuditRow(iso(now), action, subject, detail)
        self._connection.execute(insert(models.AuditEntry).values(**vars(row)))

    def list(self, limit: int = 50) -> list[AuditRow]:
        """Return the newest entries first."""
        entry = models.AuditEntry
        query = select(entry.at, entry.action, entry.subject, entry.detail)
        newest = query.order_by(entry.id.desc()).limit(limit)
        return [AuditRow(*row) for row in self._connection.execute(newest)]
