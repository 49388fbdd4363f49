"""A real engine, the images, and the stack with one ingest and one etl from the host."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_engine import docker_engine, output
from compose_images import provide
from compose_project import KEY, ROOT, Project, copy_of_the_project

from simulator.config import SimulatorConfig
from simulator.server import SimulatorProcess

GAMES = 600


@dataclass(frozen=True)
class Round:
    """What `make ingest && make etl` printed on the host, after `make up`."""

    ingest: dict[str, Any]
    etl: dict[str, Any]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Docker engine that answers."""
    with docker_engine(tmp_path_factory.mktemp("engine")):
        yield


@pytest.fixture(scope="session")
def images(engine: None) -> dict[str, str]:
    """Every image that the core of the stack names, and where it came from."""
    del engine
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    tags = {name: services[name]["image"] for name in ("minio", "nessie", "postgres")}
    tags["python"] = services["etl"]["build"]["args"]["PYTHON_IMAGE"]
    return provide({name: _default(tag) for name, tag in tags.items()})


def _default(value: str) -> str:
    """Return the value that `${VAR:-value}` has when nobody sets VAR."""
    return value.partition(":-")[2].removesuffix("}")


@pytest.fixture(scope="session")
def project(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The shipped files in a folder of their own; at the end nothing of it is left."""
    del images
    made = copy_of_the_project(tmp_path_factory.mktemp("gamelake-compose"))
    try:
        yield made
    finally:
        if (made.folder / ".env").exists():
            made.make("down", ARGS="--volumes --remove-orphans")
        left = output("docker", "ps", "--all", "--quiet", "--filter", f"name={made.folder.name}")
        assert not left


@pytest.fixture(scope="session")
def up(project: Project) -> str:
    """What the first `make up` printed."""
    return project.make("up")


@pytest.fixture(scope="session")
def running(project: Project, up: str) -> Project:
    """The project with its servers up."""
    del up
    return project


@pytest.fixture(scope="session")
def source(running: Project) -> Iterator[SimulatorProcess]:
    """A RAWG at an address that both this machine and its containers know."""
    (network,) = running.inspect("nessie")["NetworkSettings"]["Networks"].values()
    config = SimulatorConfig(games=GAMES, host=network["Gateway"], key=KEY)
    with SimulatorProcess.start(config) as rawg:
        more = {"RAWG_BASE_URL": rawg.base_url, "RAWG_API_KEY": KEY, "RAWG_MAX_RPS": "0"}
        running.environ.update(more)
        yield rawg


@pytest.fixture(scope="session")
def first_round(running: Project, source: SimulatorProcess) -> Round:
    """One whole round from the host, untouched."""
    del source
    ingest = json.loads(running.make("--silent", "ingest", ARGS="--json"))
    return Round(ingest, json.loads(running.make("--silent", "etl", ARGS="--json")))


@pytest.fixture
def env_file(running: Project) -> Path:
    """The `.env` that `make up` wrote."""
    return running.folder / ".env"
