"""Doctor's checks for `make up`: is there a Docker, are the stack's ports free?

Neither ever fails: a lake in a folder needs no Docker, and a stack may be on another machine.
"""

import errno
import re
import socket
import subprocess
from pathlib import Path

from gamelake.diagnosis import Diagnosis
from gamelake.stack_env import PORTS, Values, port
from utils.errors import UsageError

_TIMEOUT_S = 5.0
_COMPOSES = (("docker", "compose"), ("docker-compose",))
_OLDEST = (1, 29)
_ONLY = "only `make up` needs it"


def check_docker() -> Diagnosis:
    """The engine answers, and there is a Compose that reads docker-compose.yml."""
    engine = _said("docker", "version", "--format", "{{.Server.Version}}")
    if not engine:
        fix = f"install Docker, start it, and be a user who may use it; {_ONLY}"
        return Diagnosis("docker", "warn", "no engine answers", fix)
    found = [version for tool in _COMPOSES if (version := _said(*tool, "version", "--short"))]
    usable = [version for version in found if _numbers(version) >= _OLDEST]
    if not usable:
        detail = f"engine {engine}, compose {found[0] if found else 'not installed'}"
        fix = f"install Compose v2 (docker-compose-plugin), or docker-compose 1.29; {_ONLY}"
        return Diagnosis("docker", "warn", detail, fix)
    return Diagnosis("docker", "ok", f"engine {engine}, compose {usable[0]}")


def check_ports(values: Values) -> Diagnosis:
    """Ports of the stack are free, or held by the containers of this folder's stack."""
    try:
        ports = {name: port(values, name) for name in PORTS}
    except UsageError as error:
        return Diagnosis("ports", "warn", error.message, error.hint)
    ours = _ports_of_ours()
    taken = {name: n for name, n in ports.items() if n not in ours and not _is_free(n)}
    if taken:
        detail = ", ".join(f"{number} ({name})" for name, number in taken.items())
        fix = f"{next(iter(taken))}=ANOTHER make up, or end what listens there; {_ONLY}"
        return Diagnosis("ports", "warn", f"taken by others: {detail}", fix)
    held = sum(number in ours for number in ports.values())
    return Diagnosis("ports", "ok", f"{held} held by the stack, {len(ports) - held} free")


def _is_free(number: int) -> bool:
    """Return whether nobody listens there on this machine."""
    try:
        socket.create_server(("127.0.0.1", number)).close()
    except OSError as error:
        return error.errno != errno.EADDRINUSE  # the engine may take what we may not
    return True


def _ports_of_ours() -> set[int]:
    label = f"label=com.docker.compose.project.working_dir={Path.cwd()}"
    said = _said("docker", "ps", "--filter", label, "--format", "{{.Ports}}")
    return {int(number) for number in re.findall(r":(\d+)->", said)}


def _said(*command: str) -> str:
    """Return what a command printed; nothing when it fails, hangs or is not there."""
    try:
        done = subprocess.run(  # noqa: S603 - docker, as on PATH
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
