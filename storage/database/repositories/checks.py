"""Results of checks, kept with the run that ran them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, insert, select

from storage.database import models


@dataclass(frozen=True)
class CheckRow:
    """What one check said: on which table, how it ended, how many rows fail, which ones."""

    name: str
    subject: str
    outcome: Literal["passed", "warned", "failed"]
    failing: int = 0
    detail: str = ""


class CheckRepository:
    """Check results by run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, run_id: str, results: Iterable[CheckRow]) -> None:
        """Keep the results of a run."""
        rows = [vars(result) | {"run_id": run_id} for result in results]
        if rows:
            self._connection.execute(insert(models.CheckResult), rows)

    def list(self, run_id: str) -> list[CheckRow]:
        """Return a run's results in the order they were added."""
        own = select(
            models.CheckResult.name,
            models.CheckResult.subject,
            models.CheckResult.outcome,
            models.CheckResult.failing,
            models.CheckResult.detail,
        ).where(models.CheckResult.run_id == run_id)
        ordered = own.order_by(models.CheckResult.id)
        return [CheckRow(**row) for row in self._connection.execute(ordered).mappings()]
