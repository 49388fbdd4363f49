"""Requests sent per month, base URL and key."""

import hashlib

from sqlalchemy import Connection, select

from storage.database import models
from storage.database.repositories.upsert import upsert


def budget_fingerprint(base_url: str, key: str) -> str:
    """Return 16 hex digits that stand for a base URL and key; the key cannot be read from them."""
    return hashlib.sha256(f"{base_url}\n{key}".encode()).hexdigest()[:16]


class BudgetRepository:
    """Counts requests; a count only grows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def spend(self, fingerprint: str, month: str, n: int) -> int:
        """Add `n` requests to `month` (YYYY-MM) and return the month's new count."""
        row = {"fingerprint": fingerprint, "month": month, "spent": n}
        upsert(self._connection, models.Budget, [row], add=("spent",))
        return self.spent(fingerprint, month)

    def spent(self, fingerprint: str, month: str) -> int:
        """Return the requests sent in `month` (YYYY-MM)."""
        own = (models.Budget.fingerprint == fingerprint, models.Budget.month == month)
        return self._connection.scalar(select(models.Budget.spent).where(*own)) or 0
