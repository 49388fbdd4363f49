"""A copy of the shipped files, driven as a user drives it: make, docker-compose, gamelake."""

import json
import os
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

ROOT = Path(__file__).resolve().parents[2]
KEY = "canary-key-of-the-compose-test"
_OURS = ("RAWG_", "GAMELAKE_", "MINIO_", "NESSIE_", "DREMIO_", "POSTGRES_", "DATABASE_", "COMPOSE")
_MAKES = ("MAKE", "MFLAGS", "ARGS")  # else a make above hands down its own ARGS
_PORTS = (
    "DREMIO_FLIGHT_PORT",
    "MINIO_PORT",
    "MINIO_CONSOLE_PORT",
    "NESSIE_PORT",
    "POSTGRES_PORT",
    "DREMIO_PORT",
)


@dataclass
class Project:
    """Where the copy lies, and the variables that every command in it is given."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    tool: tuple[str, ...] = ("docker-compose",)

    def make(self, *arguments: str, **variables: str) -> str:
        """Return what `make ARGUMENTS` printed; it has to succeed."""
        return self._must("make", *self._choices(), *arguments, **variables)

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
        service = command[0]
        return json.loads(
            self.compose("run", "--rm", "-T", service, "gamelake", *command, "--json")
        )

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
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in _PORTS]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return dict(zip(_PORTS, ports, strict=True))
