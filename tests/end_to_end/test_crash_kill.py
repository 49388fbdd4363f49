"""Killed before or after any operation, a lake is whole, and one resume finishes the run.

contracts/reliability.md, test 1: nothing lost, nothing twice, at most the pages in flight again.
"""

from collections.abc import Callable
from itertools import product

import pytest
from sweep_checks import kill_and_resume
from sweep_scenarios import SWEPT, Stages, share

pytestmark = pytest.mark.crash

SHARES = 12
OFTEN = {"full": SHARES, "incremental": SHARES, "again": SHARES // 3}  # shares in every run
OWN = 0.9  # of the kills of a share strike the very point; the others may strike one twice
EVERY_SHARE = [
    pytest.param(name, part, marks=() if part < OFTEN.get(name, 0) else pytest.mark.nightly)
    for name in SWEPT
    for part in range(SHARES)
]


def test_there_are_at_least_500_kill_points(stages: Stages) -> None:
    kinds = {
        name: sum(len([*share(stages.points(name), part, SHARES)]) for part in range(parts))
        for name, parts in OFTEN.items()
    }
    assert OWN * 2 * sum(kinds.values()) >= 500
    assert 2 * kinds["full"] >= 250
    assert 2 * kinds["incremental"] >= 100


@pytest.mark.parametrize(("scenario", "part"), EVERY_SHARE)
def test_one_resume_finishes_what_a_kill_interrupted(
    stages: Stages, scenario: str, part: int, record_property: Callable[[str, object], None]
) -> None:
    stage = stages.get(scenario)
    found, struck, worst = [], set(), 0
    points = list(product(share(stages.points(scenario), part, SHARES), ("before", "after")))
    for point, when in points:
        broken = kill_and_resume(stage, point, when)
        found += [f"{scenario}, {when} {point}: {problem}" for problem in broken.problems]
        worst = max(worst, broken.extra)
        struck.add(broken.struck)
    assert found == []
    assert len(struck & {f"{when} {point}" for point, when in points}) >= OWN * len(points)
    record_property(f"distinct kill points ({scenario})", sorted(struck))
    record_property(f"at most extra pages a kill ({scenario})", worst)
