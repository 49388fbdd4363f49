"""A Docker engine for tests: the one that runs, or Debian's own, installed, started and stopped."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGES = ("docker.io", "docker-compose", "iptables", "mmdebstrap")
_PROGRAMS = ("docker", "docker-compose", "dockerd", "iptables", "mmdebstrap")
_READY_S = 60.0


def attempt(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command that may fail, and return how it went; `more` is for subprocess.run."""
    more = {"timeout": 900.0, **more}
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def output(*command: str | Path, **more: Any) -> str:
    """Return what a command printed; raises AssertionError with both streams when it fails."""
    done = attempt(*command, **more)
    said = f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    return done.stdout


@contextmanager
def docker_engine(logs: Path) -> Iterator[None]:
    """Within this block an engine answers; one that was up before stays up after."""
    if _answers():
        yield
        return
    _install()
    with (logs / "dockerd.log").open("wb") as log:
        engine = subprocess.Popen(
            ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(engine, logs / "dockerd.log")
        yield
    finally:
        engine.terminate()
        engine.wait(60)


def _answers() -> bool:
    return shutil.which("docker") is not None and attempt("docker", "info").returncode == 0


def _install() -> None:
    if all(shutil.which(program) for program in _PROGRAMS):
        return
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    output("apt-get", "update", "--quiet", env=environ)
    install = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends")
    output(*install, *PACKAGES, env=environ)


def _wait(engine: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _READY_S
    while not _answers():
        alive = engine.poll() is None and time.monotonic() < ends
        assert alive, log.read_text(encoding="utf-8")[-3000:]
        time.sleep(0.2)
