"""A copy of the shipped files, driven as a user drives it: make, docker-compose, gamelake."""

import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from compose_engine import attempt, output
from dotenv import dotenv_values

from gamelake.stack_env import PORTS

ROOT = Path(__file__).resolve().parents[2]
KEY = "canary-key-of-the-compose-test"
_OURS = ("RAWG_", "GAMELAKE_", "MINIO_", "NESSIE_", "DREMIO_", "POSTGRES_", "DATABASE_", "COMPOSE")
_MAKES = ("MAKE", "MFLAGS", "ARGS")  # else a make above hands down its own ARGS


@dataclass
class Project:
    """Where the copy lies, the variables that every command in it is given, what jobs said."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    tool: tuple[str, ...] = ("docker-compose",)
    said: list[str] = field(default_factory=list)

    def make(self, *arguments: str, **variables: str) -> str:
        """Return what `make ARGUMENTS` printed; it has to succeed."""
        return self._must("make", *self._choices(), *arguments, **variables)

    def try_make(self, *arguments: str) -> CompletedProcess[str]:
        """Run make, which may fail."""
        return attempt("make", *self._choices(), *arguments, cwd=self.folder, env=self.environ)

    def forget_choices(self) -> None:
        """Take back what was chosen by the environment: from here on `.env` has to know it."""
        for name in (*PORTS, "COMPOSE_PROFILES"):
            self.environ.pop(name, None)

    def compose(self, *arguments: str) -> str:
        """Return what `docker-compose ARGUMENTS` printed; it has to succeed."""
        return self._must(*self.tool, *arguments)

    def try_compose(self, *arguments: str) -> CompletedProcess[str]:
        """Run docker-compose, which may fail."""
        return attempt(*self.tool, *arguments, cwd=self.folder, env=self.environ)

    def gamelake(self, *arguments: str) -> Any:
        """Return the JSON that the host's gamelake printed; it has to succeed."""
        return json.loads(self._must(f"{sys.prefix}/bin/gamelake", *arguments, "--json"))

    def job(self, *command: str) -> Any:
        """Return the JSON that a job printed in a container of its own; it has to succeed."""
        run = ("run", "--rm", "-T", command[0], "gamelake", *command, "--json")
        done = self.try_compose(*run)
        self.said.append(done.stdout + done.stderr)  # the container is gone, and its log with it
        assert done.returncode == 0, self.said[-1]
        return json.loads(done.stdout)

    def secrets(self) -> dict[str, str]:
        """Return what `.env` holds."""
        return {name: value or "" for name, value in dotenv_values(self.folder / ".env").items()}

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows about a service's container."""
        name = self.compose("ps", "--all", "--quiet", service).strip()
        (found,) = json.loads(output("docker", "inspect", name))
        return found

    def _choices(self) -> tuple[str, ...]:
        """Return what make is told: this environment, which is ready, and which compose to use."""
        ready = ("--old-file", f"{sys.prefix}/.ready")
        return *ready, f"VENV={sys.prefix}", f"COMPOSE={' '.join(self.tool)}"

    def _must(self, *command: str, **variables: str) -> str:
        return output(*command, cwd=self.folder, env={**self.environ, **variables})


def states(said: str) -> dict[str, str]:
    """Return how each service is by the table that `make up` printed."""
    _, _, table = said.partition("\nservice ")
    lines = (re.split(r"  +", line) for line in table.partition("\n\n")[0].splitlines()[1:])
    return {service: state for service, state, *_ in lines}


def copy_of_the_project(folder: Path) -> Project:
    """Copy what is, or may be, committed to `folder`, with ports of its own."""
    names = output("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in names.splitlines():
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    environ = {k: v for k, v in os.environ.items() if not k.startswith(_OURS + _MAKES)}
    return Project(folder, {**environ, **_free_ports()})


def _free_ports() -> Mapping[str, str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return dict(zip(PORTS, ports, strict=True))
