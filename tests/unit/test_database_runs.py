"""Runs keep to the state machine of S003, and their ids to the order of creation."""

from typing import get_args

import pytest
from clocks import START, FakeClock
from database_fixtures import NewUrl
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from storage.database.repositories.ledger import LedgerRow
from storage.database.repositories.runs import TRANSITIONS, Run, RunState
from storage.database.repositories.windows import PageRow, WindowRow
from storage.database.session import Database
from utils.clock import iso
from utils.errors import GamelakeError

STATES = get_args(RunState)

# Requirement S003, copied by hand so that a slip in the code shows.
ALLOWED = {
    ("queued", "running"),
    ("queued", "cancelled"),
    ("running", "completed"),
    ("running", "failed"),
    ("running", "paused"),
    ("failed", "queued"),
    ("failed", "cancelled"),
    ("paused", "running"),
    ("paused", "cancelled"),
}


def test_the_table_of_moves_is_that_of_s003() -> None:
    assert {(old, new) for old, moves in TRANSITIONS.items() for new in moves} == ALLOWED
    assert set(TRANSITIONS) == set(STATES)


class Runs(RuleBasedStateMachine):
    """Random moves against a dict from run id to state."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.database = Database.open(url, clock=self.clock)
        self.states: dict[str, str] = {}
        self.scopes: dict[str, dict[str, int]] = {}
        self.moves: dict[str, int] = {}

    def teardown(self) -> None:
        self.database.close()

    @rule(step=st.integers(-9, 9), scope=st.integers(0, 1))
    def create(self, step: int, scope: int) -> None:
        self.clock.advance(step)  # the wall clock may go back or stand still
        with self.database.unit_of_work() as unit:
            run = unit.runs.create("ingest", scope={"n": scope}, now=self.clock.now())
        assert run.run_id > max(self.states, default="")
        self.states[run.run_id] = "queued"
        self.scopes[run.run_id] = {"n": scope}
        self.moves[run.run_id] = 1

    @rule(which=st.integers(0, 99), to_state=st.sampled_from(STATES))
    def transition(self, which: int, to_state: RunState) -> None:
        run_id = self._pick(which)
        allowed = run_id is not None and (self.states[run_id], to_state) in ALLOWED
        try:
            with self.database.unit_of_work() as unit:
                unit.runs.transition(run_id or "none", to_state, reason="why")
        except GamelakeError:
            assert not allowed
            return
        assert allowed
        self.states[run_id] = to_state
        self.moves[run_id] += 1

    @rule(which=st.integers(0, 99))
    def resume(self, which: int) -> None:
        run_id = self._pick(which)
        if run_id is None:
            return
        old = self.states[run_id]
        try:
            with self.database.unit_of_work() as unit:
                unit.runs.resume(run_id)
        except GamelakeError:
            assert old in ("completed", "cancelled")
            return
        self.states[run_id] = "running"
        self.moves[run_id] += 2 if old == "failed" else 1  # by way of queued

    @invariant()
    def the_store_agrees(self) -> None:
        with self.database.reading() as unit:
            stored = {run.run_id: run for run in unit.runs.list(1000)}
            assert {run_id: run.state for run_id, run in stored.items()} == self.states
            for run_id, run in stored.items():
                ended = run.state in ("completed", "failed", "cancelled")
                assert (run.finished_at is not None) == ended
                assert len(unit.runs.history(run_id)) == self.moves[run_id]
            for n in (0, 1):
                self._check_resumable(unit.runs.resumable("ingest", {"n": n}), n)

    def _check_resumable(self, run: Run | None, n: int) -> None:
        newest = max((i for i, scope in self.scopes.items() if scope == {"n": n}), default=None)
        done = newest is None or self.states[newest] in ("completed", "cancelled")
        assert (None if run is None else run.run_id) == (None if done else newest)

    def _pick(self, which: int) -> str | None:
        return sorted(self.states)[which % len(self.states)] if self.states else None


def test_runs_keep_to_the_model(empty_url: NewUrl, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Runs(empty_url()),
        settings=settings(max_examples=examples, stateful_step_count=20, deadline=None),
    )


def test_ids_hold_only_what_paths_and_tags_allow(store_url: str) -> None:
    with Database.open(store_url) as db, db.unit_of_work() as unit:
        run = unit.runs.create("ingest", scope={"from": None}, now=START)
        assert run.run_id == "20261121t015200-000000"
        assert unit.runs.get(run.run_id) == run
        unit.runs.set_summary(run.run_id, {"games": 3})
        assert unit.runs.get(run.run_id).summary == {"games": 3}
        assert unit.runs.resumable("etl", {"from": None}) is None
        assert unit.runs.list(kind="etl") == []
        with pytest.raises(GamelakeError, match="there is no run nope"):
            unit.runs.set_summary("nope", {})


def test_the_ingestion_log_tells_of_ingest_runs(store_url: str) -> None:
    """Requirement S000 names its columns."""
    with Database.open(store_url, clock=FakeClock()) as database:
        with database.unit_of_work() as unit:
            done = unit.runs.create("ingest", scope={}, now=START).run_id
            unit.runs.transition(done, "running")
            counts = {"games_seen": 9, "games_new": 7, "games_changed": 2}
            unit.runs.set_summary(done, counts)
            unit.runs.transition(done, "completed")
            unit.runs.create("etl", scope={}, now=START)
            waiting = unit.runs.create("ingest", scope={}, now=START).run_id
        with database.reading() as unit:
            log = unit.state._connection.exec_driver_sql(
                "SELECT id, batch_id, games_fetched, games_new, games_updated, started_at,"
                " completed_at, status FROM ingestion_log ORDER BY id"
            ).all()
    at = iso(START)
    assert log == [
        (1, done, 9, 7, 2, at, at, "completed"),
        (2, waiting, None, None, None, None, None, "queued"),
    ]


def test_a_scope_is_found_again_as_it_was_given(store_url: str) -> None:
    with Database.open(store_url) as db, db.unit_of_work() as unit:
        run = unit.runs.create("ingest", scope={"months": ("2020-01", "2020-02")}, now=START)
        again = unit.runs.resumable("ingest", {"months": ("2020-01", "2020-02")})
        assert again is not None
        assert again.run_id == run.run_id


def test_a_plan_keeps_its_progress(store_url: str) -> None:
    with Database.open(store_url) as db, db.unit_of_work() as unit:
        run_id = unit.runs.create("ingest", scope={}, now=START).run_id
        march = WindowRow(run_id, "2020-03", "dates", "2020-03-01", "2020-03-31", 90, 0, "open", "")
        undated = WindowRow(run_id, "undated", "undated", "", "", None, 0, "open", "")
        unit.windows.plan(run_id, [march, undated])
        done = WindowRow(**vars(march) | {"fetched": 90, "state": "done"})
        unit.windows.save(done)
        unit.windows.plan(run_id, [march, undated])  # a resume plans again
        assert unit.windows.list(run_id) == [undated, done]
        unit.windows.add_pages(run_id, "2020-03", [PageRow(1, 40, "a"), PageRow(2, 40, "a")])
        unit.windows.add_pages(run_id, "2020-03", [PageRow(2, 40, "b"), PageRow(3, 10, "b")])
        unit.windows.add_pages(run_id, "2020-03", iter([]))
        assert unit.windows.pages_done(run_id, "2020-03") == {1, 2, 3}
        assert unit.windows.pages_done(run_id, "undated") == set()


def test_a_bad_row_counts_once_and_not_beside_a_good_one(store_url: str) -> None:
    with Database.open(store_url) as db, db.unit_of_work() as unit:
        run_id = unit.runs.create("ingest", scope={}, now=START).run_id
        other = unit.runs.create("ingest", scope={}, now=START).run_id
        march = WindowRow(run_id, "2020-03", "dates", "2020-03-01", "2020-03-31", 90, 0, "open", "")
        unit.windows.plan(run_id, [march])
        unit.bad_rows.add(other, [9])
        unit.bad_rows.add(run_id, [3, 3, 5])
        unit.bad_rows.add(run_id, [5, 7])
        for nameless in (2, 1):  # the page is read again: what it held before counts no more
            unit.windows.add_pages(run_id, "2020-03", [PageRow(1, 40, "a", nameless)])

        def count(after: str | None = "2026-01-01") -> int:
            return unit.bad_rows.count(run_id, "rawg", "games", after=after)

        assert count() == count(None) == 3 + 1
        seen = [LedgerRow(i, None, "h", "browse", at, at, other) for i, at in MET.items()]
        unit.ledger.upsert("rawg", "games", seen)
        assert (count(), count(None)) == (2 + 1, 3 + 1)
        assert unit.ledger.count("rawg", "games", after="2026-01-01") == 1
        unit.windows.save(WindowRow(**vars(march) | {"state": "split"}))
        assert count() == 2


MET = {3: "2026-01-01", 5: "2026-01-02"}
