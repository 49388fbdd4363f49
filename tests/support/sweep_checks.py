"""Break a stage's run at one point, go on as a user would, and say what is wrong then."""

from collections.abc import Iterator

from crash import Outcome
from injected import MARK
from star_tables import differences
from sweep_scenarios import Point
from sweep_stage import Stage

from utils.seams import Fault, When

WORKERS = 2
KNOWN_CODES = {0, 1, 3, 6, 7, 8}


def kill_and_resume(stage: Stage, point: Point, when: When) -> tuple[int, list[str]]:
    """Return the pages fetched again, and what is wrong after the resume."""
    problems = [] if kill(stage, point, when) else ["the kill never came"]
    ended, windows = stage.has_ended(point.step), stage.open_windows()
    told = stage.resume()
    problems += [f"resume ended with {t.code}: {t.out} {t.err}" for t in told if t.code]
    extra = 0 if ended else stage.extra_pages(point.step)
    if extra > WORKERS + windows:
        problems.append(f"{extra} pages were fetched again, with {windows} windows open")
    return extra, problems + stage.problems(ended=ended)


def kill(stage: Stage, point: Point, when: When) -> bool:
    """Kill a run there; where threads took another turn, at the last such operation it had."""
    for ordinal in range(point.ordinal, 0, -1):
        stage.reset(point.step)
        if stage.strike(point.step, Fault("kill", when, point.name, ordinal)).killed:
            return True
    return False


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
