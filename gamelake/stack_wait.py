"""Waits until every container of the stack is healthy, or says which is not and what it logged.

`python -m gamelake.stack_wait CODE COMPOSE...`, run by `make up` after `up --detach`, which ended
with the exit code CODE; COMPOSE is the command to ask (`docker compose` or `docker-compose`). Own
work because `up --wait` is not in 1.29 and takes a one-shot that has ended well for a failure.
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from gamelake.stack_env import read_env
from gamelake.stack_table import next_step, stack_table
from utils.errors import GamelakeError, ServiceDown, UsageError, exit_code

PATIENCE_S = 420.0  # Dremio takes up to three minutes on a laptop, and its set-up comes after
_POLL_S = 1.0
_LOOPS = 3  # restarts after which one more, while we look, is no accident
_ONE_OFF = "com.docker.compose.oneoff"
_SERVICE = "com.docker.compose.service"

Verdict = Literal["ready", "waiting", "failed"]


@dataclass(frozen=True)
class Container:
    """One container: its service, how it is, what that means, and how often it was restarted."""

    service: str
    state: str
    verdict: Verdict
    restarts: int = 0


def judge(found: dict[str, Any]) -> Container:
    """Read one element of `docker inspect`: a one-shot is ready when it has ended with 0."""
    state, service = found["State"], found["Config"]["Labels"][_SERVICE]
    restarts = found["HostConfig"]["RestartPolicy"]["Name"] not in ("", "no")
    status, health = state["Status"], state.get("Health", {}).get("Status", "")
    if status == "exited" and not restarts:
        code = state["ExitCode"]
        return Container(service, f"exit {code}", "failed" if code else "ready")
    if status != "running":  # the engine calls what has ended unhealthy, also if it restarts it
        ended = status in ("exited", "dead")
        return Container(service, status, "failed" if ended else "waiting", found["RestartCount"])
    # A one-shot is waited for until its end: that it lives says nothing.
    ready = health in ("", "healthy") and restarts
    verdict: Verdict = "failed" if health == "unhealthy" else "ready" if ready else "waiting"
    return Container(service, health or status, verdict, found["RestartCount"])


def wait(compose: Sequence[str], patience_s: float = PATIENCE_S) -> list[Container]:
    """Return the containers once all are ready; raises ServiceDown naming those that are not."""
    ends = time.monotonic() + patience_s
    first: dict[str, int] = {}
    while True:
        containers = look(compose)
        first = {one.service: one.restarts for one in containers} | first
        left = [_or_looping(one, first) for one in containers if one.verdict != "ready"]
        if containers and not left:
            return containers
        hopeless = not containers or any(one.verdict == "failed" for one in left)
        if hopeless or time.monotonic() > ends:
            raise _not_ready(compose, left)
        time.sleep(_POLL_S)


def _or_looping(one: Container, first: Mapping[str, int]) -> Container:
    """Return a container that ends and is restarted again and again as one that has failed."""
    if one.restarts < _LOOPS or one.restarts == first[one.service]:
        return one
    return replace(one, state=f"restarted {one.restarts} times", verdict="failed")


def look(compose: Sequence[str]) -> list[Container]:
    """Return how the project's containers are now, without those of `run`."""
    ids = _output([*compose, "ps", "--all", "--quiet"]).split()
    found = json.loads(_output(["docker", "inspect", *ids])) if ids else []
    own = (one for one in found if one["Config"]["Labels"].get(_ONE_OFF) != "True")
    return sorted((judge(one) for one in own), key=lambda one: one.service)


def _not_ready(compose: Sequence[str], left: Sequence[Container]) -> ServiceDown:
    named = ", ".join(f"{one.service} ({one.state})" for one in left) or "no container"
    worst = [one.service for one in left if one.verdict == "failed"] or [o.service for o in left]
    logs = _output([*compose, "logs", "--tail", "15", *worst]) if worst else ""
    return ServiceDown(
        f"{logs}the stack is not ready: {named}",
        operation="wait for the stack",
        subject=", ".join(worst),
        hint="docs/runbook.md, 'The stack', has the usual causes; `make up` goes on",
    )


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UsageError(
            f"{' '.join(command[:4])} failed: {done.stderr.strip()}",
            operation="ask docker",
            subject=command[0],
            hint="is the Docker engine running, and may you use it?",
        )
    return done.stdout


def main(argv: Sequence[str]) -> int:
    """Wait, print where everything is, and return the exit code of DESIGN section 3."""
    started, compose = int(argv[0]), argv[1:]
    try:
        # After a failure nothing else is started: what is not ready now will not be.
        containers = wait(compose, 0.0 if started else PATIENCE_S)
        values = read_env(Path(".env"))
        table = stack_table({one.service: one.state for one in containers}, values)
    except GamelakeError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return exit_code(error)
    sys.stdout.write(f"{table}\n" + ("" if started else f"\n{next_step(values)}\n"))
    return started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
