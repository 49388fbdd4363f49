"""Break a stage's run at one point, go on as a user would, and say what is wrong then."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crash import Outcome
from injected import MARK
from star_tables import differences
from sweep_scenarios import Point
from sweep_stage import Stage

from utils.seams import Fault, When

WORKERS = 2
KNOWN_CODES = {0, 1, 3, 6, 7, 8}


@dataclass(frozen=True)
class Broken:
    """A run that was broken: `struck` is the operation where, empty when the fault never came.

    extra: pages fetched again. problems: what was wrong then, and after the next run.
    """

    struck: str
    problems: list[str]
    extra: int = 0


def kill_and_resume(stage: Stage, point: Point, when: When) -> Broken:
    """Kill a run at `point`, resume it, and look for anything lost, doubled or left over."""
    outcome, struck = strike(stage, point, Fault("kill", when, point.name, point.ordinal))
    problems = [] if outcome.killed else ["the kill never came"]
    ended, windows = stage.has_ended(point.step), stage.open_windows()
    told = stage.resume()
    problems += [f"resume ended with {t.code}: {t.out} {t.err}" for t in told if t.code]
    extra = 0 if ended else stage.extra_pages(point.step)
    if extra > WORKERS + windows:
        problems.append(f"{extra} pages were fetched again, with {windows} windows open")
    return Broken(struck, problems + stage.problems(ended=ended), extra)


def fail_and_go_on(stage: Stage, point: Point, fault: Fault) -> Broken:
    """Look at the failed command, at what readers see then, and at the next run."""
    outcome, struck = strike(stage, point, fault)
    problems = list(misbehaviour(stage, outcome))
    visible = stage.star()
    steps = (point.step, point.step + 1)
    if all(differences(visible, stage.stars[step]) for step in steps):
        problems.append("readers see something else than the star before or after the step")
    ended = stage.has_ended(point.step)
    problems += [
        f"the next run ended with {t.code}: {t.out} {t.err}" for t in stage.resume() if t.code
    ]
    return Broken(struck, problems + stage.problems(ended=ended))


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


def strike(stage: Stage, point: Point, fault: Fault) -> tuple[Outcome, str]:
    """Run the step with the fault; where threads took another turn, at the last such operation.

    Also returns the operation that was struck: two points may come to the same one.
    """
    for ordinal in range(point.ordinal, 0, -1):
        fault.ordinal = ordinal
        stage.reset(point.step)
        outcome = stage.strike(point.step, fault)
        if outcome.fault_fired:
            return outcome, f"{fault.when} {replace(point, ordinal=ordinal)}"
    return outcome, ""
