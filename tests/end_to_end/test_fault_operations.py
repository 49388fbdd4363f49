"""Any operation may fail, once or for ever, or succeed and not tell: contracts/reliability.md 4.

The command then recovers, or ends with a code of its own, one line that names the cause and
nothing half done for readers to see; the next run gives the star of a run that never failed.
"""

from collections.abc import Callable, Iterator

import pytest
from crash import Outcome
from injected import MARK, errors_at
from star_tables import differences
from sweep_scenarios import Point, Stages, share
from sweep_stage import Stage

from utils.seams import Fault

pytestmark = pytest.mark.crash

SHARES = 12
SCENARIOS = ("full", "incremental")
# Failing: the error comes instead of the operation; lost: the operation happened.
MODES = {"once": ("before", False), "for ever": ("before", True), "lost": ("after", False)}
Count = Callable[[str, object], None]
KNOWN_CODES = {0, 1, 3, 6, 7, 8}


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
    found, count = [], 0
    for point in share(stages.points(scenario), part, SHARES):
        when, forever = MODES[mode]
        kinds = errors_at(point.name)
        error = kinds[(point.ordinal + part) % len(kinds)]
        fault = Fault("error", when, point.name, point.ordinal, forever, error)  # type: ignore[arg-type]
        problems = fail_and_go_on(stage, point, fault)
        found += [f"{scenario}, {mode} {error.__name__} {point}: {line}" for line in problems]
        count += 1
    assert found == []
    record_property(f"counted failing operations ({scenario}, {mode})", count)


def fail_and_go_on(stage: Stage, point: Point, fault: Fault) -> list[str]:
    """Return what is wrong with the failed command, what readers see then, and the next run."""
    outcome = strike(stage, point, fault)
    problems = list(misbehaviour(stage, outcome))
    visible = stage.star()
    steps = (point.step, point.step + 1)
    if all(differences(visible, stage.stars[step]) for step in steps):
        problems.append("readers see something else than the star before or after the step")
    ended = stage.has_ended(point.step)
    problems += [
        f"the next run ended with {t.code}: {t.out} {t.err}" for t in stage.resume() if t.code
    ]
    return problems + stage.problems(ended=ended)


def misbehaviour(stage: Stage, outcome: Outcome) -> Iterator[str]:
    """Say what a user must not see of a command that failed."""
    if not outcome.fault_fired:
        yield "the fault never came"
    told = outcome.result
    if told is None:
        yield f"the command itself broke: {outcome.traceback}"
        return
    if told["code"] not in KNOWN_CODES:
        yield f"exit code {told['code']}"
    if told["code"] and MARK not in told["err"]:
        yield f"no cause is named: {told['err']}"
    if "Traceback" in told["err"] or "defect of gamelake" in told["err"]:
        yield f"a defect is reported: {told['err']}"
    yield from (f"{path} was left" for path in stage.lake.home.glob("logs/defect-*"))


def strike(stage: Stage, point: Point, fault: Fault) -> Outcome:
    """Fail that operation; where threads took another turn, the last such one there was."""
    for ordinal in range(point.ordinal, 0, -1):
        fault.ordinal = ordinal
        stage.reset(point.step)
        outcome = stage.strike(point.step, fault)
        if outcome.fault_fired:
            break
    return outcome
