"""docker-compose 1.29 and Compose v2 read the shipped file alike."""

import os
from pathlib import Path

import pytest
import yaml
from compose_engine import attempt, output
from compose_project import ROOT

from gamelake.stack_env import write_env

pytestmark = [pytest.mark.compose, pytest.mark.usefixtures("engine")]

SERVICES = {"postgres", "minio", "minio-setup", "nessie"}
EVERY = SERVICES | {"dremio", "dremio-setup", "ingest", "etl", "schedule"}
PROFILES = [("core", SERVICES), ("all", SERVICES | {"dremio", "dremio-setup"})]


@pytest.fixture
def env(tmp_path: Path) -> list[str]:
    """Options that name the shipped file, and secrets for it."""
    write_env(tmp_path / "secrets", {})
    return ["--env-file", str(tmp_path / "secrets"), "--file", str(ROOT / "docker-compose.yml")]


def environ(profiles: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(Path.home()), "COMPOSE_PROFILES": profiles}


@pytest.mark.parametrize(("profiles", "services"), [*PROFILES, ("all,schedule,jobs", EVERY)])
def test_v2_accepts_the_file_without_a_warning(v2, env, profiles, services):
    done = attempt(*v2, *env, "config", env=environ(profiles))

    assert (done.returncode, done.stderr) == (0, "")
    assert set(yaml.safe_load(done.stdout)["services"]) == services


@pytest.mark.parametrize(("profiles", "services"), [*PROFILES, ("all,schedule,jobs", EVERY)])
def test_1_29_accepts_the_file_without_a_warning(env, profiles, services):
    done = attempt("docker-compose", *env, "config", env=environ(profiles))

    assert (done.returncode, done.stderr) == (0, "")
    listed = output("docker-compose", *env, "config", "--services", env=environ(profiles))
    assert services <= set(listed.split())


def test_both_give_the_containers_the_same(v2, env):
    old, new = (
        yaml.safe_load(output(*tool, *env, "config", env=environ("all,schedule,jobs")))["services"]
        for tool in (["docker-compose"], v2)
    )

    for name in EVERY:
        assert new[name].get("environment", {}) == (old[name].get("environment") or {}), name
        assert new[name]["image"] == old[name]["image"]
        assert new[name]["healthcheck"]["test"] == old[name]["healthcheck"]["test"]


def test_neither_starts_without_the_secrets(v2, tmp_path):
    (tmp_path / "empty").touch()
    for tool in (["docker-compose"], v2):
        options = ["--env-file", tmp_path / "empty", "--file", ROOT / "docker-compose.yml"]
        done = attempt(*tool, *options, "config", env=environ("core"))
        assert done.returncode != 0
        assert "run make up" in done.stderr
