"""Killed before or after any operation, a lake is whole, and one resume finishes the run.

contracts/reliability.md, test 1: nothing lost, nothing twice, at most the pages in flight again.
"""

from collections.abc import Callable

import pytest
from sweep_checks import kill_and_resume
from sweep_scenarios import SWEPT, Stages, share

pytestmark = pytest.mark.crash

SHARES = 12
OFTEN = ("full", "incremental", "again")
EVERY_SHARE = [
    pytest.param(name, part, marks=() if name in OFTEN else pytest.mark.nightly)
    for name in SWEPT
    for part in range(SHARES)
]


def test_there_are_at_least_500_kill_points(stages: Stages) -> None:
    kinds = {name: {(p.step, p.name, p.ordinal) for p in stages.points(name)} for name in OFTEN}
    assert 2 * sum(map(len, kinds.values())) >= 500
    assert 2 * len(kinds["full"]) >= 250
    assert 2 * len(kinds["incremental"]) >= 100


@pytest.mark.parametrize(("scenario", "part"), EVERY_SHARE)
def test_one_resume_finishes_what_a_kill_interrupted(
    stages: Stages, scenario: str, part: int, record_property: Callable[[str, object], None]
) -> None:
    stage = stages.get(scenario)
    found, killed, worst = [], 0, 0
    for point in share(stages.points(scenario), part, SHARES):
        for when in ("before", "after"):
            extra, problems = kill_and_resume(stage, point, when)
            found += [f"{scenario}, {when} {point}: {problem}" for problem in problems]
            worst = max(worst, extra)
            killed += 1
    assert found == []
    record_property(f"counted kill points ({scenario})", killed)
    record_property(f"at most extra pages a kill ({scenario})", worst)
