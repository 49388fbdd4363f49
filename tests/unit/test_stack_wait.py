"""When the stack counts as up: read from what `docker inspect` says."""

import json
import stat
import sys
from pathlib import Path

import pytest

from gamelake.stack_wait import Container, judge, main, wait
from utils.errors import ServiceDown, UsageError


def inspected(
    status: str, health: str = "", *, code: int = 0, restart: str = "", restarts: int = 0
) -> dict:
    state = {"Status": status, "ExitCode": code}
    if health:
        state["Health"] = {"Status": health}
    labels = {"com.docker.compose.service": "one"}
    policy = {"RestartPolicy": {"Name": restart}}
    return {
        "State": state,
        "Config": {"Labels": labels},
        "HostConfig": policy,
        "RestartCount": restarts,
    }


@pytest.mark.parametrize(
    ("found", "state", "verdict"),
    [
        (inspected("running", "healthy", restart="unless-stopped"), "healthy", "ready"),
        (inspected("running", "starting", restart="unless-stopped"), "starting", "waiting"),
        (inspected("running", "unhealthy", restart="unless-stopped"), "unhealthy", "failed"),
        (inspected("restarting", restart="always"), "restarting", "waiting"),
        (inspected("restarting", "unhealthy", restart="always"), "restarting", "waiting"),
        (inspected("dead", restart="no"), "dead", "failed"),
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
    inspect = "cat inspect.json; if [ -f later.json ]; then mv later.json inspect.json; fi"
    answers = f"case $1 in inspect) {inspect};; ps) cat ids;; logs) echo why;; esac"
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

    assert main(["0", "docker"]) == 7
    said = capsys.readouterr().err
    assert "why\nthe stack is not ready: one (unhealthy)" in said


@pytest.mark.parametrize(
    ("status", "health"), [("restarting", ""), ("restarting", "unhealthy"), ("running", "starting")]
)
def test_a_server_that_ends_again_and_again_is_told_at_once(docker, status, health):
    say(docker, inspected(status, health, restart="always", restarts=1))
    later = json.dumps([inspected(status, health, restart="always", restarts=4)])
    (docker / "later.json").write_text(later)

    with pytest.raises(ServiceDown, match=r"why\nthe stack is not ready: one \(restarted 4 times"):
        wait(["docker"], patience_s=30)


def test_restarts_of_long_ago_are_no_loop(docker):
    say(docker, inspected("running", "starting", restart="always", restarts=9))
    later = json.dumps([inspected("running", "healthy", restart="always", restarts=9)])
    (docker / "later.json").write_text(later)

    assert wait(["docker"], patience_s=30)[0].state == "healthy"


def test_after_an_up_that_failed_nothing_is_waited_for(docker, capsys):
    say(docker, inspected("created", restart="always"))

    assert main(["1", "docker"]) == 7
    assert "one (created)" in capsys.readouterr().err


def test_a_failure_of_up_is_kept_when_all_is_well(docker, capsys):
    say(docker, inspected("exited"))

    assert main(["14", "docker"]) == 14
    assert "Ready" not in capsys.readouterr().out


@pytest.mark.parametrize("profile", ["stack", "embedded"])
def test_ready_is_said_where_the_host_uses_the_servers(docker, profile, capsys, monkeypatch):
    monkeypatch.chdir(docker)
    (docker / ".env").write_text(f"GAMELAKE_PROFILE={profile}\n")
    say(docker, inspected("exited"))

    assert main(["0", "docker"]) == 0
    out = capsys.readouterr().out
    assert ("Ready" in out, "do not use" in out) == (profile == "stack", profile == "embedded")


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
