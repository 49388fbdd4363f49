"""Small facts about the lake under a key: watermarks, the bound base URL, the last fetch time."""

from sqlalchemy import Connection, select

from storage.database import models
from storage.database.repositories.upsert import upsert


class StateRepository:
    """Text values by key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, key: str) -> str | None:
        """Return the value of `key`, or None."""
        return self._connection.scalar(select(models.State.value).where(models.State.key == key))

    def set(self, key: str, value: str) -> None:
        """Add or replace the value of `key`."""
        upsert(self._connection, models.State, [{"key": key, "value": value}])
