"""Any operation may fail, once or for ever, or succeed and not tell: contracts/reliability.md 4.

The command then recovers, or ends with a code of its own, one line that names the cause and
nothing half done for readers to see; the next run gives the star of a run that never failed.
"""

from collections.abc import Callable

import pytest
from injected import errors_at
from sweep_checks import fail_and_go_on
from sweep_scenarios import Stages, share

from utils.seams import Fault

pytestmark = pytest.mark.crash

SHARES = 12
SCENARIOS = ("full", "incremental")
# Failing: the error comes instead of the operation; lost: the operation happened.
MODES = {"once": ("before", False), "for ever": ("before", True), "lost": ("after", False)}
Count = Callable[[str, object], None]


@pytest.mark.parametrize(
    ("scenario", "mode", "part"),
    [
        # Answers lost by the catalog are in every run: tests/integration/test_publish_lost_answers.
        pytest.param(s, mode, part, marks=pytest.mark.nightly if mode == "lost" else ())
        for s in SCENARIOS
        for mode in MODES
        for part in range(SHARES)
    ],
)
def test_a_failing_operation_harms_nobody(
    stages: Stages, scenario: str, mode: str, part: int, *, record_property: Count
) -> None:
    stage = stages.get(scenario)
    found, struck = [], set()
    for point in share(stages.points(scenario), part, SHARES):
        when, forever = MODES[mode]
        kinds = errors_at(point.name)
        error = kinds[(point.ordinal + part) % len(kinds)]
        fault = Fault("error", when, point.name, point.ordinal, forever, error)  # type: ignore[arg-type]
        broken = fail_and_go_on(stage, point, fault)
        found += [f"{scenario}, {mode} {error.__name__} {point}: {it}" for it in broken.problems]
        struck.add(broken.struck)
    assert found == []
    record_property(f"distinct failing operations ({scenario}, {mode})", sorted(struck))
