"""Killed before or after any operation on real servers, a lake is whole and one resume finishes.

60 points, spread over every kind of operation of both steps, in each run of the suite; all of
them in the nightly one.
"""

from collections.abc import Callable
from itertools import product

import pytest
from sweep_checks import kill_and_resume
from sweep_scenarios import Point, Stages, share, spread

from utils.seams import When

pytestmark = [pytest.mark.stack, pytest.mark.crash]

POINTS = 30  # of each scenario
SHARES = 10
SCENARIOS = ("full", "incremental")
EVERY_SHARE = list(product(SCENARIOS, range(SHARES)))
Count = Callable[[str, object], None]
KINDS = {
    (0, "http.get"),
    (0, "spool.append"),
    (0, "spool.sync"),
    (0, "spool.delete"),
    (0, "store.put"),
    (0, "db.commit"),
    (1, "db.commit"),
    (1, "catalog.branch"),
    (1, "catalog.commit"),
    (1, "warehouse.write"),
    (1, "store.put"),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_points_are_of_every_kind(stack_stages: Stages, scenario: str) -> None:
    chosen = spread(stack_stages.points(scenario), POINTS)
    assert len({(str(point), when) for point, when in chosen}) == POINTS
    assert {(point.step, point.name) for point, _ in chosen} == KINDS
    assert {(point.step, point.name) for point in stack_stages.points(scenario)} == KINDS


@pytest.mark.parametrize(("scenario", "part"), EVERY_SHARE)
def test_one_resume_finishes_what_a_kill_interrupted(
    stack_stages: Stages, scenario: str, part: int, record_property: Count
) -> None:
    chosen = spread(stack_stages.points(scenario), POINTS)[part::SHARES]
    sweep(stack_stages, scenario, chosen, record_property)


@pytest.mark.nightly
@pytest.mark.parametrize(("scenario", "part"), EVERY_SHARE)
def test_one_resume_finishes_what_any_kill_interrupted(
    stack_stages: Stages, scenario: str, part: int, record_property: Count
) -> None:
    points = share(stack_stages.points(scenario), part, SHARES)
    every = [(point, when) for point in points for when in ("before", "after")]
    sweep(stack_stages, scenario, every, record_property)


def sweep(stages: Stages, scenario: str, chosen: list[tuple[Point, When]], record: Count) -> None:
    """Kill at each point, resume, and compare with a run that was never stopped."""
    stage = stages.get(scenario)
    found, struck, worst = [], set(), 0
    for point, when in chosen:
        broken = kill_and_resume(stage, point, when)
        found += [f"{scenario}, {when} {point}: {problem}" for problem in broken.problems]
        worst = max(worst, broken.extra)
        struck.add(broken.struck)
    assert found == []
    record(f"distinct kill points on the stack ({scenario})", sorted(struck))
    record(f"at most extra pages a kill on the stack ({scenario})", worst)
