"""A server dies, freezes or restarts at one operation of a run: what a user must be told then."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import crash
from stack_bell import Bell, Moment, ringing
from star_tables import differences
from sweep_stage import Stage

from testbed.process import Server
from testbed.stack import Stack
from utils.config import load_settings
from utils.redact import Redactor

SERVERS: dict[str, Callable[[Stack], Server]] = {
    "MinIO": lambda stack: stack.minio,
    "Nessie": lambda stack: stack.nessie,
    "PostgreSQL": lambda stack: stack.postgres,
}
_SERVICE = 7


@dataclass(frozen=True)
class Outage:
    """`server` is killed (or paused, or restarted) at a moment of a step of the scenario."""

    server: str
    verb: str
    step: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.server} {self.verb} step {self.step} {self.moment}".replace(" ", "-")


def outage(text: str) -> Outage:
    """Read `SERVER VERB STEP WHEN OPERATION ORDINAL`."""
    server, verb, step, when, name, ordinal = text.split()
    return Outage(server, verb, int(step), Moment(when, name, int(ordinal)))  # type: ignore[arg-type]


def strike(stage: Stage, stack: Stack, out: Outage) -> dict[str, Any]:
    """Run the step through the outage; return what it told, with every server up again."""
    server = SERVERS[out.server](stack)
    stage.reset(out.step)
    command = stage.scenario.steps[out.step]
    with Bell(getattr(server, out.verb)) as bell:
        outcome = crash.run(ringing, stage.lake, bell.port, out.moment, *command)
    stack.start()
    assert bell.rung == 1, f"{out.moment} never came"
    assert outcome.result is not None, outcome.traceback
    told: dict[str, Any] = outcome.result
    return told


def after_effects(stage: Stage, broken: int) -> list[str]:
    """Say what readers saw that they must not after step `broken`, and what the next run left."""
    visible = stage.star()
    problems = []
    if all(differences(visible, stage.stars[step]) for step in (broken, broken + 1)):
        problems.append("readers saw something else than the star before or after the step")
    ended = stage.has_ended(broken)
    problems += [f"the next run ended with {t.code}: {t.err}" for t in stage.resume() if t.code]
    return problems + stage.problems(ended=ended)


def misinformation(stage: Stage, out: Outage, told: dict[str, Any]) -> Iterator[str]:
    """Say what is wrong with what the user was told of an outage."""
    if told["code"] != _SERVICE:
        yield f"exit code {told['code']}: {told['err']}"
        return
    error = json.loads(told["out"])
    if error["code"] != "service" or out.server not in error["error"] + error["hint"]:
        yield f"{out.server} is not named: {error}"
    if "make up" not in error["hint"] or "same command continues" not in error["hint"]:
        yield f"the next step is not named: {error}"
    said = [line for line in told["err"].splitlines() if line.startswith(("error:", "WARNING:"))]
    if said != [f"error: {error['error']}"]:
        yield f"not one error was told but {said}"
    yield from leaks(stage, told["out"] + told["err"])


def leaks(stage: Stage, text: str) -> Iterator[str]:
    """Say whether a secret of the lake stands in a text."""
    secrets = load_settings(stage.lake.environ, dotenv=None).secrets()
    if Redactor([one for one in secrets if len(one) >= 8]).finds_secret(text):
        yield "a secret is told"
