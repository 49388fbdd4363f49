"""Work that dies or fails at any operation, once or for ever, is finished by the next call."""

from collections.abc import Callable
from pathlib import Path

import crash
import pytest
from database_fixtures import NewUrl
from storage_lab import Lab, check, check_finished, finish
from storage_scenarios import SCOPE, small_ingest

from storage.database.session import Database
from utils.seams import Fault

NewLab = Callable[[str], Lab]


@pytest.fixture
def new_lab(tmp_path: Path, new_url: NewUrl) -> NewLab:
    return lambda name: Lab(tmp_path / name, new_url())


def operations(new_lab: NewLab) -> list[tuple[str, int]]:
    lab = new_lab("traced")
    traced = crash.run(small_ingest, lab.home, lab.url)
    assert traced.exit_code == 0, traced.traceback
    check_finished(lab)
    return list(traced.trace)


@pytest.mark.crash
@pytest.mark.parametrize("action", ["kill", "error"])
def test_every_operation_may_be_the_last(new_lab: NewLab, action: str) -> None:
    points = [(when, *op) for op in operations(new_lab) for when in ("before", "after")]
    assert len(points) >= 28, "an operation went missing: this test would prove less"
    for when, name, ordinal in points:
        lab = new_lab(f"{when}-{name}-{ordinal}")
        fault = Fault(action, when, name, ordinal)
        outcome = crash.run(small_ingest, lab.home, lab.url, fault=fault)
        assert outcome.fault_fired, lab
        assert outcome.killed == (action == "kill"), lab
        check(lab)
        finish(lab)
        check_finished(lab)


@pytest.mark.crash
def test_an_operation_that_fails_for_ever_leaves_a_store_that_can_go_on(new_lab: NewLab) -> None:
    every = operations(new_lab)
    assert every[-1][0] == "db.commit"  # gives the lease back, which ends by itself if that fails
    for ordinal, _ in enumerate(every, start=1):
        lab = new_lab(f"forever-{ordinal}")
        fault = Fault("error", "before", "*", ordinal, forever=True)
        outcome = crash.run(small_ingest, lab.home, lab.url, fault=fault)
        assert outcome.fault_fired
        assert outcome.exit_code == (1 if ordinal < len(every) else 0)
        check(lab)
        finish(lab)
        check_finished(lab)


def test_the_scope_is_what_makes_a_run_resumable(tmp_path: Path, store_url: str) -> None:
    small_ingest(tmp_path, store_url)
    with Database.open(store_url) as database, database.reading() as unit:
        assert unit.runs.resumable("ingest", SCOPE) is None  # completed
