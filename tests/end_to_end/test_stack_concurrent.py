"""A run whose lease is taken over, or whose host is lost, at any point: the star is right.

Two builds at once from two hosts are in test_acceptance_publish.py, over both profiles.
"""

from dataclasses import replace
from shutil import rmtree
from typing import Any

import crash
import psycopg
import pytest
from lakes import LakeUnderTest, hurried
from stack_bell import Bell, Moment, ringing
from stack_lakes import plain
from star_tables import differences, read_star
from sweep_scenarios import Stages
from sweep_stage import Stage

from utils.seams import Fault, When

pytestmark = [pytest.mark.stack, pytest.mark.crash]

INGEST, ETL = 0, 1
LOCKED = 6
MERGED, SWAPPED = 11, 12  # see test_stack_outages
BEFORE = [
    Moment("before", "catalog.branch", 1),
    Moment("after", "warehouse.write", 12),
    Moment("before", "catalog.commit", 9),
    Moment("before", "catalog.commit", MERGED),
    Moment("after", "catalog.commit", MERGED),
    Moment("before", "catalog.commit", SWAPPED),
]
AFTER = [
    Moment("after", "catalog.commit", SWAPPED),
    Moment("before", "catalog.commit", SWAPPED + 2),
    Moment("after", "catalog.branch", 4),
]


def elsewhere(stage: Stage) -> LakeUnderTest:
    """Return the lake as another host has it that has never run anything."""
    home = stage.lake.home.with_name("other-host")
    rmtree(home, ignore_errors=True)
    return replace(stage.lake, home=home)


def take_over(stage: Stage, moment: Moment) -> tuple[dict[str, Any], dict[str, Any]]:
    """Stop a build there, let its lease end and another host build; then let the first go on."""
    stage.reset(ETL)
    other = elsewhere(stage)
    second: list[dict[str, Any]] = []

    def build_elsewhere() -> None:
        with psycopg.connect(plain(stage.lake.environ["DATABASE_URL"])) as connection:
            connection.execute("UPDATE leases SET expires_at = '2000-01-01T00:00:00Z'")
        second.append(crash.run(hurried, other, "etl").result)

    with Bell(build_elsewhere) as bell:
        first = crash.run(ringing, stage.lake, bell.port, moment, *stage.scenario.steps[ETL])
    assert first.result is not None, first.traceback
    return first.result, second[0]


@pytest.mark.parametrize("moment", BEFORE, ids=str)
def test_a_build_that_lost_its_lease_before_it_published_changes_nothing(
    stack_stages: Stages, moment: Moment
) -> None:
    stage = stack_stages.get("incremental")
    first, second = take_over(stage, moment)

    assert second["code"] == 0, second["err"]
    assert '"published": true' in second["out"]
    assert first["code"] == LOCKED, first["err"]
    assert stage.problems(ended=False) == []


@pytest.mark.parametrize("moment", AFTER, ids=str)
def test_a_build_that_lost_its_lease_after_it_published_has_published(
    stack_stages: Stages, moment: Moment
) -> None:
    stage = stack_stages.get("incremental")
    first, second = take_over(stage, moment)

    assert second["code"] == 0, second["err"]
    assert '"published": false' in second["out"]
    assert first["code"] == 0, first["err"]
    assert '"published": true' in first["out"]
    assert stage.problems(ended=False) == []


@pytest.mark.parametrize(
    ("step", "when", "name", "ordinal"),
    [
        (INGEST, "after", "http.get", 5),
        (INGEST, "after", "spool.append", 2),
        (INGEST, "before", "store.put", 2),
        (INGEST, "after", "store.put", 2),
        (ETL, "before", "catalog.commit", SWAPPED),
        (ETL, "after", "catalog.commit", SWAPPED),
    ],
)
def test_a_run_that_died_on_one_host_is_finished_by_another(
    stack_stages: Stages, *, step: int, when: When, name: str, ordinal: int
) -> None:
    stage = stack_stages.get("incremental")
    stage.reset(step)
    assert stage.strike(step, Fault("kill", when, name, ordinal)).killed
    ended = stage.has_ended(step)
    other = elsewhere(stage)
    for command in stage.scenario.steps:
        other.must(*command)

    with other.open() as lake:
        assert differences(read_star(lake), stage.later if ended else stage.stars[-1]) == []
    assert other.broken() == []
    stage.lake.must("ingest")
    assert stage.lake.broken() == []
