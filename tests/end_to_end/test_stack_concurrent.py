"""A build whose lease is taken over meanwhile, at any point: the star is right all the same.

Two builds at once from two hosts are in test_acceptance_publish.py, over both profiles.
"""

from dataclasses import replace
from typing import Any

import crash
import psycopg
import pytest
from lakes import hurried
from stack_bell import Bell, Moment, ringing
from stack_lakes import plain
from sweep_scenarios import Stages
from sweep_stage import Stage

pytestmark = [pytest.mark.stack, pytest.mark.crash]

ETL = 1
LOCKED = 6
MERGED, SWAPPED = 10, 11  # see test_stack_outages
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


def take_over(stage: Stage, moment: Moment) -> tuple[dict[str, Any], dict[str, Any]]:
    """Stop a build there, let its lease end and another host build; then let the first go on."""
    stage.reset(ETL)
    other = replace(stage.lake, home=stage.lake.home.with_name("other-host"))
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
    assert first["code"] in (0, LOCKED), first["err"]
    assert stage.problems(ended=False) == []
