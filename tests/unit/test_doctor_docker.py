"""Doctor on Docker and on the stack's ports, with a `docker` that answers as it is told."""

import socket
from pathlib import Path

import pytest

from gamelake.doctor_docker import check_docker, check_ports
from gamelake.stack_env import PORTS


@pytest.fixture(autouse=True)
def programs(tmp_path, monkeypatch):
    """An empty folder that is the whole PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}")
    return tmp_path


def program(folder, name: str, script: str) -> None:
    """Put a program there; `script` is the body of a `case` on all arguments."""
    path = folder / name
    path.write_text(f'#!/bin/sh\ncase "$*" in\n{script}\n*) exit 1;;\nesac\n')
    path.chmod(0o755)


ENGINE = "version*) echo 28.1.0;;"


def test_no_docker_is_a_warning_and_says_who_needs_it():
    found = check_docker()

    assert (found.level, found.detail) == ("warn", "no engine answers")
    assert "make up" in found.fix


def test_an_engine_that_refuses_is_a_warning(programs):
    program(programs, "docker", "never) ;;")

    assert check_docker().level == "warn"


def test_an_engine_that_hangs_is_given_up(programs, monkeypatch):
    monkeypatch.setattr("gamelake.doctor_docker._TIMEOUT_S", 0.2)
    program(programs, "docker", "version*) exec /bin/sleep 60;;")

    assert check_docker().detail == "no engine answers"


def test_an_engine_without_compose_is_a_warning(programs):
    program(programs, "docker", ENGINE)

    found = check_docker()

    assert (found.level, found.detail) == ("warn", "engine 28.1.0, compose not installed")


@pytest.mark.parametrize(("version", "level"), [("1.25.0", "warn"), ("1.29.2", "ok")])
def test_the_old_compose_has_to_be_1_29(programs, version, level):
    program(programs, "docker", ENGINE)
    program(programs, "docker-compose", f"version*) echo {version};;")

    found = check_docker()

    assert (found.level, found.detail) == (level, f"engine 28.1.0, compose {version}")


def test_compose_v2_is_ok(programs):
    program(programs, "docker", f"{ENGINE}\ncompose*) echo v2.40.3;;")

    assert check_docker().level == "ok"


@pytest.fixture
def ports() -> dict[str, str]:
    """A free port for each of the stack's."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    numbers = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return dict(zip(PORTS, numbers, strict=True))


def test_free_ports_are_ok(ports):
    found = check_ports(ports)

    assert (found.level, found.detail) == ("ok", "0 held by the stack, 6 free")


def test_a_port_that_another_program_has_is_named(ports):
    with socket.create_server(("127.0.0.1", int(ports["NESSIE_PORT"]))):
        found = check_ports(ports)

    assert found.level == "warn"
    assert found.detail == f"taken by others: {ports['NESSIE_PORT']} (NESSIE_PORT)"
    assert "NESSIE_PORT=ANOTHER make up" in found.fix


def test_a_port_of_this_folder_s_stack_is_ok(programs, ports):
    ours = f"label=com.docker.compose.project.working_dir={Path.cwd()}"
    mapped = f"127.0.0.1:{ports['NESSIE_PORT']}->19120/tcp, 9000/tcp"
    program(programs, "docker", f'"ps --filter {ours} "*) echo "{mapped}";;')

    with socket.create_server(("127.0.0.1", int(ports["NESSIE_PORT"]))):
        found = check_ports(ports)

    assert (found.level, found.detail) == ("ok", "1 held by the stack, 5 free")


def test_a_port_that_is_no_number_is_named():
    found = check_ports({"MINIO_PORT": "many"})

    assert (found.level, found.detail.split()[0]) == ("warn", "MINIO_PORT")
