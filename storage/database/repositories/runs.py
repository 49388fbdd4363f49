"""Runs and their state machine (requirement S003)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, func, insert, select, update

from storage.database import models
from storage.database.repositories.state import StateRepository
from utils.clock import Clock, iso
from utils.errors import GamelakeError, UsageError

Kind = Literal["ingest", "etl"]
RunState = Literal["queued", "running", "completed", "failed", "paused", "cancelled"]

TRANSITIONS: dict[RunState, tuple[RunState, ...]] = {
    "queued": ("running", "cancelled"),
    "running": ("completed", "failed", "paused"),
    "failed": ("queued", "cancelled"),
    "paused": ("running", "cancelled"),
    "completed": (),
    "cancelled": (),
}
_ENDED = ("completed", "failed", "cancelled")
_RESUMABLE = ("queued", "running", "paused", "failed")
_STAMP = "%Y%m%dt%H%M%S-%f"

# A rebuilt store has no runs, but raw holds their ids: new ids must still come after them.
LAST_RUN_ID = "last_run_id"


def is_run_id(text: str) -> bool:
    """Return whether `text` is an id that `RunRepository.create` gives out."""
    try:
        return _stamp_of(text).strftime(_STAMP) == text
    except ValueError:
        return False


@dataclass(frozen=True)
class Run:
    """One run. Times are ISO text; `scope` says what it covers, `summary` what it did."""

    run_id: str
    kind: Kind
    state: RunState
    scope: dict[str, Any]
    created_at: str
    started_at: str | None
    finished_at: str | None
    reason: str
    summary: dict[str, Any]


@dataclass(frozen=True)
class Transition:
    """One recorded move of a run; `at` is ISO text."""

    from_state: str | None
    to_state: str
    at: str
    reason: str


class RunRepository:
    """Creates runs and moves them through their states; every move is recorded."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    def create(self, kind: Kind, *, scope: dict[str, Any], now: datetime) -> Run:
        """Add a queued run. Its id sorts after every earlier one, also if the clock went back."""
        run = Run(self._next_id(now), kind, "queued", scope, iso(now), None, None, "", {})
        self._connection.execute(insert(models.Run).values(**vars(run)))
        self._record(run.run_id, None, "queued", "")
        return run

    def get(self, run_id: str) -> Run:
        """Return a run; raises UsageError when there is none of that id."""
        row = self._connection.execute(_RUNS.where(models.Run.run_id == run_id)).one_or_none()
        if row is None:
            raise UsageError(
                f"there is no run {run_id}",
                operation="look up a run",
                subject=run_id,
                hint="`gamelake runs` lists them",
            )
        return Run(*row)

    def list(self, limit: int = 20, kind: Kind | None = None) -> list[Run]:
        """Return the newest runs first."""
        query = _RUNS if kind is None else _RUNS.where(models.Run.kind == kind)
        newest = query.order_by(models.Run.run_id.desc()).limit(limit)
        return [Run(*row) for row in self._connection.execute(newest)]

    def transition(self, run_id: str, to_state: RunState, *, reason: str = "") -> Run:
        """Move a run to `to_state`; raises GamelakeError when S003 does not allow that move."""
        run = self.get(run_id)
        if to_state not in TRANSITIONS[run.state]:
            raise GamelakeError(
                f"a {run.state} run cannot become {to_state}",
                operation="change a run's state",
                subject=run_id,
            )
        return self._move(run, to_state, reason)

    def resume(self, run_id: str) -> Run:
        """Make an unfinished run running again; a failed one is queued first (S003).

        The caller holds the writer lease, so a run still called running is a dead one's.
        Raises GamelakeError for a completed or cancelled run.
        """
        run = self.get(run_id)
        if run.state == "failed":
            run = self._move(run, "queued", "retry")
        if run.state == "running":
            return self._move(run, "running", "its process died")
        return self.transition(run_id, "running", reason="resumed")

    def resumable(self, kind: Kind, scope: dict[str, Any]) -> Run | None:
        """Return the newest run of `scope` if it is unfinished."""
        stored = json.loads(json.dumps(scope))  # as it comes back: tuples are lists
        query = _RUNS.where(models.Run.kind == kind).order_by(models.Run.run_id.desc())
        same = (Run(*row) for row in self._connection.execute(query) if row.scope == stored)
        newest = next(same, None)
        return newest if newest is not None and newest.state in _RESUMABLE else None

    def set_summary(self, run_id: str, summary: dict[str, Any]) -> None:
        """Replace what the run says it did."""
        self._update(self.get(run_id).run_id, summary=summary)

    def history(self, run_id: str) -> Sequence[Transition]:
        """Return the run's moves, oldest first."""
        moves = select(
            models.RunTransition.from_state,
            models.RunTransition.to_state,
            models.RunTransition.at,
            models.RunTransition.reason,
        )
        own = moves.where(models.RunTransition.run_id == run_id).order_by(models.RunTransition.id)
        return [Transition(*row) for row in self._connection.execute(own)]

    def _move(self, run: Run, to_state: RunState, reason: str) -> Run:
        now = iso(self._clock.now())
        started = run.started_at or (now if to_state == "running" else None)
        finished = now if to_state in _ENDED else None
        self._update(
            run.run_id, state=to_state, reason=reason, started_at=started, finished_at=finished
        )
        self._record(run.run_id, run.state, to_state, reason)
        return self.get(run.run_id)

    def _update(self, run_id: str, **values: object) -> None:
        own = update(models.Run).where(models.Run.run_id == run_id)
        self._connection.execute(own.values(**values))

    def _record(self, run_id: str, from_state: str | None, to_state: str, reason: str) -> None:
        move = insert(models.RunTransition).values(
            run_id=run_id,
            from_state=from_state,
            to_state=to_state,
            at=iso(self._clock.now()),
            reason=reason,
        )
        self._connection.execute(move)

    def _next_id(self, now: datetime) -> str:
        stored = self._connection.scalar(select(func.max(models.Run.run_id))) or ""
        last = max(stored, StateRepository(self._connection).get(LAST_RUN_ID) or "")
        candidate = now.astimezone(UTC).strftime(_STAMP)
        if candidate > last:
            return candidate
        return (_stamp_of(last) + timedelta(microseconds=1)).strftime(_STAMP)


def _stamp_of(run_id: str) -> datetime:
    return datetime.strptime(run_id, _STAMP).replace(tzinfo=UTC)


_RUNS = select(
    models.Run.run_id,
    models.Run.kind,
    models.Run.state,
    models.Run.scope,
    models.Run.created_at,
    models.Run.started_at,
    models.Run.finished_at,
    models.Run.reason,
    models.Run.summary,
)
