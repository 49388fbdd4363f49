"""Windows of a run's plan and the pages that are durable."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from storage.database import models
from storage.database.repositories.upsert import insert_missing, upsert

WindowState = Literal["open", "split", "done", "incomplete"]


@dataclass(frozen=True)
class WindowRow:
    """One window: what the source counts in it (`api_count`) and what was fetched."""

    run_id: str
    window: str
    kind: str
    first: str
    last: str
    api_count: int | None
    fetched: int
    state: WindowState
    note: str


@dataclass(frozen=True)
class PageRow:
    """One durable page: rows seen on it and the key of the raw part that accounts for it.

    `nameless`: how many of its rows are bad and have no id.
    """

    page: int
    rows: int
    part: str
    nameless: int = 0


class WindowRepository:
    """The plan of a run, kept while it is carried out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def plan(self, run_id: str, windows: list[WindowRow]) -> None:
        """Add the windows that the run does not have yet; known ones keep their progress."""
        rows = [vars(window) | {"run_id": run_id} for window in windows]
        insert_missing(self._connection, models.Window, rows)

    def list(self, run_id: str) -> list[WindowRow]:
        """Return the run's windows by their first day."""
        own = _WINDOWS.where(models.Window.run_id == run_id)
        ordered = own.order_by(models.Window.first, models.Window.window)
        return [WindowRow(**row) for row in self._connection.execute(ordered).mappings()]

    def save(self, window: WindowRow) -> None:
        """Add or replace one window; one that was split stays so, whoever saves it late."""
        split = models.Window.state == "split"
        upsert(self._connection, models.Window, [vars(window)], unless=split)

    def pages_done(self, run_id: str, window: str) -> set[int]:
        """Return the numbers of the window's durable pages."""
        own = (models.Page.run_id == run_id, models.Page.window == window)
        return set(self._connection.scalars(select(models.Page.page).where(*own)))

    def parts(self, run_id: str) -> set[str]:
        """Return the keys of the raw parts that account for the run's durable pages."""
        return set(
            self._connection.scalars(select(models.Page.part).where(models.Page.run_id == run_id))
        )

    def add_pages(self, run_id: str, window: str, pages: Iterable[PageRow]) -> None:
        """Note pages as durable; one that is known already takes the newer part."""
        rows = [vars(page) | {"run_id": run_id, "window": window} for page in pages]
        upsert(self._connection, models.Page, rows)


_WINDOWS = select(
    models.Window.run_id,
    models.Window.window,
    models.Window.kind,
    models.Window.first,
    models.Window.last,
    models.Window.api_count,
    models.Window.fetched,
    models.Window.state,
    models.Window.note,
)
