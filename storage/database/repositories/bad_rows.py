"""What a run could not type: each bad row counts once, however often its page was read."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, select

from storage.database import models
from storage.database.repositories.upsert import insert_missing


class BadRowRepository:
    """Bad rows of runs: by the id of their game; those without an id stand with their page."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, run_id: str, ids: Iterable[int]) -> None:
        """Note games of which the run read a bad row."""
        rows = [{"run_id": run_id, "natural_id": natural_id} for natural_id in sorted(set(ids))]
        insert_missing(self._connection, models.BadGame, rows)

    def count(self, run_id: str, source: str, entity: str, *, after: str | None) -> int:
        """Return how many games the run read bad rows of, but for those read well, too.

        Read by any run `after` that time; None: by this run. A row without an id is a game of its
        own. Of a window that was split only the pieces count: its own rows stand there again.
        """
        return self._games(run_id, source, entity, after=after) + self._nameless(run_id)

    def _games(self, run_id: str, source: str, entity: str, *, after: str | None) -> int:
        is_own = models.Ledger.run_id == run_id
        good = select(models.Ledger.natural_id).where(
            models.Ledger.source == source,
            models.Ledger.entity == entity,
            models.Ledger.natural_id == models.BadGame.natural_id,
            is_own if after is None else models.Ledger.last_seen > after,
        )
        own = select(func.count()).select_from(models.BadGame)
        bad = own.where(models.BadGame.run_id == run_id, ~good.exists())
        return self._connection.scalar(bad) or 0

    def _nameless(self, run_id: str) -> int:
        of_window = (
            models.Window.run_id == models.Page.run_id,
            models.Window.window == models.Page.window,
            models.Window.state != "split",
        )
        rows = select(func.sum(models.Page.nameless)).where(
            models.Page.run_id == run_id, *of_window
        )
        return int(self._connection.scalar(rows) or 0)
