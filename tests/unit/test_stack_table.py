"""What `make up` and `make down` tell: where everything is, and what goes."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from gamelake.stack_env import read_env, write_env
from gamelake.stack_table import DOORS, stack_table

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture
def values(tmp_path):
    write_env(tmp_path / ".env", {"MINIO_CONSOLE_PORT": "29001"})
    return read_env(tmp_path / ".env")


def test_each_way_in_has_address_user_and_where_its_password_is(values):
    states = {"minio": "healthy", "minio-setup": "exit 0", "nessie": "healthy"}

    lines = [line.split("  ") for line in stack_table(states, values).splitlines()]

    assert [[cell.strip() for cell in line if cell] for line in lines] == [
        ["service", "state", "address", "user", "password"],
        ["minio", "healthy", "http://127.0.0.1:9000 (S3)", "gamelake", ".env: MINIO_SECRET_KEY"],
        [
            *("minio", "healthy", "http://127.0.0.1:29001 (console)"),
            *("gamelake-root", ".env: MINIO_ROOT_PASSWORD"),
        ],
        ["minio-setup", "exit 0"],
        ["nessie", "healthy", "http://127.0.0.1:19120", "none", "none"],
    ]


def test_no_password_is_in_it(values):
    table = stack_table(dict.fromkeys(COMPOSE["services"], "healthy"), values)

    assert not [name for name, value in values.items() if len(value) > 30 and value in table]


def test_every_port_that_is_published_is_in_it():
    for name, service in COMPOSE["services"].items():
        ports = {door.port for door in DOORS if door.service == name}

        assert {
            port.split("${")[1].partition(":-")[0] for port in service.get("ports", ())
        } == ports


@pytest.mark.parametrize("option", ["--volumes", "-v"])
def test_what_down_deletes_is_listed_before(option):
    said = make("down", f"ARGS={option} --remove-orphans")

    before, ran, _ = said.partition(f"ran down {option} --remove-orphans")
    assert ran
    assert not [volume for volume in COMPOSE["volumes"] if volume not in before]
    assert "lake-stack/" in before


def test_down_alone_deletes_nothing_and_says_nothing():
    assert make("down") == "ran down\n"


def make(*arguments: str) -> str:
    """Return what make printed, with `echo ran` in place of compose."""
    command = ["make", "--no-print-directory", *arguments, "COMPOSE=echo ran"]
    handed_down = ("ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")  # by a make above
    environ = {name: value for name, value in os.environ.items() if name not in handed_down}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout
