"""When the stack counts as up: read from what `docker inspect` says."""

import json
import stat
import sys
from pathlib import Path

import pytest

from gamelake.stack_wait import Container, judge, main, wait
from utils.errors import ServiceDown, UsageError


def inspected(status: str, health: str = "", *, code: int = 0, restart: str = "") -> dict:
    state = {"Status": status, "ExitCode": code}
    if health:
        state["Health"] = {"Status": health}
    labels = {"com.docker.compose.service": "one"}
    policy = {"RestartPolicy": {"Name": restart}}
    return {"State": state, "Config": {"Labels": labels}, "HostConfig": policy}


@pytest.mark.parametrize(
    ("found", "state", "verdict"),
    [
        (inspected("running", "healthy", restart="unless-stopped"), "healthy", "ready"),
        (inspected("running", "starting", restart="unless-stopped"), "starting", "waiting"),
        (inspected("running", "unhealthy", restart="unless-stopped"), "unhealthy", "failed"),
        (inspected("restarting", restart="always"), "restarting", "waiting"),
        (inspected("exited", code=0, restart="always"), "exited", "failed"),
        (inspected("created", restart="always"), "created", "waiting"),
        (inspected("exited", code=0), "exit 0", "ready"),
        (inspected("exited", code=3, restart="no"), "exit 3", "failed"),
        (inspected("running", "healthy"), "healthy", "waiting"),
    ],
)
def test_judge(found, state, verdict):
    assert judge(found) == Container("one", state, verdict)


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """Put a `docker` on PATH that answers with the text of files."""
    program = tmp_path / "docker"
    answers = "case $1 in inspect) cat inspect.json;; ps) cat ids;; logs) echo why;; esac"
    program.write_text(f"#!/bin/sh\ncd {tmp_path}\n{answers}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    (tmp_path / "ids").write_text("a\n")
    return tmp_path


def say(docker: Path, *found: dict) -> None:

    (docker / "inspect.json").write_text(json.dumps(found))


def test_it_returns_when_all_are_ready(docker):
    say(docker, inspected("running", "healthy", restart="always"), inspected("exited"))

    assert [one.verdict for one in wait(["docker"])] == ["ready", "ready"]


def test_containers_of_run_do_not_count(docker):
    stray = inspected("exited", code=8)
    stray["Config"]["Labels"]["com.docker.compose.oneoff"] = "True"
    say(docker, inspected("exited"), stray)

    assert len(wait(["docker"])) == 1


def test_a_failure_is_told_at_once_with_its_log(docker, capsys):
    say(docker, inspected("running", "unhealthy", restart="always"))

    assert main(["docker"]) == 7
    said = capsys.readouterr().err
    assert "why\nthe stack is not ready: one (unhealthy)" in said


def test_patience_ends(docker):
    say(docker, inspected("running", "starting", restart="always"))

    with pytest.raises(ServiceDown, match=r"one \(starting\)"):
        wait(["docker"], patience_s=0)


def test_no_container_is_not_ready(docker):
    (docker / "ids").write_text("")

    with pytest.raises(ServiceDown, match="no container"):
        wait(["docker"])


def test_an_engine_that_does_not_answer_is_told():
    with pytest.raises(UsageError, match="cannot connect"):
        wait([sys.executable, "-c", "import sys; sys.exit('cannot connect')"])
