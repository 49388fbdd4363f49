"""A real engine, the images, and the stack with one ingest and one etl from the host."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_engine import attempt, docker_engine, output
from compose_images import dremio_standin, provide
from compose_project import KEY, ROOT, Project, copy_of_the_project
from dremio_standin import SECRET

from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess
from testbed.artifacts import artifacts

GAMES = 600
V2 = "github.com/docker/compose/v2@v2.40.3"


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
def v2(engine: None) -> tuple[str, ...]:
    """Compose v2: the installed one, else built from its source as a Go module, kept for later."""
    del engine
    if attempt("docker", "compose", "version").returncode == 0:
        return ("docker", "compose")
    kept = artifacts().cache / V2.rpartition("@")[2] / "docker-compose"
    if not kept.is_file():
        where = json.loads(output("go", "mod", "download", "-json", V2))["Dir"]
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(f".{os.getpid()}")
        output("go", "build", "-trimpath", "-o", new, "./cmd", cwd=where)
        new.replace(kept)
    return (str(kept),)


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


@contextmanager
def shipped_files(folder: Path) -> Iterator[Project]:
    """Give the shipped files in a folder of their own; at the end nothing of it is left."""
    made = copy_of_the_project(folder)
    try:
        yield made
    finally:
        if (made.folder / ".env").exists():
            made.make("down", ARGS="--volumes --remove-orphans")
        left = output("docker", "ps", "--all", "--quiet", "--filter", f"name={made.folder.name}")
        assert not left


@pytest.fixture(scope="session")
def project(images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The stack without Dremio, driven by docker-compose 1.29."""
    del images
    with shipped_files(tmp_path_factory.mktemp("gamelake-core")) as made:
        made.environ["COMPOSE_PROFILES"] = "core"
        yield made


@pytest.fixture(scope="session")
def everything(
    running: Project, v2: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """All of it as make up starts it, by Compose v2, with the strict stand-in for Dremio."""
    del running  # our image is made
    with shipped_files(tmp_path_factory.mktemp("gamelake-all")) as made:
        made.tool = v2
        known = {"DREMIO_IMAGE": dremio_standin(), "MINIO_ANALYST_SECRET_KEY": SECRET}
        made.environ.update(known)
        yield made


@pytest.fixture(scope="session")
def up(project: Project) -> str:
    """What the first `make up` printed; ports and profile were chosen for it alone."""
    said = project.make("up")
    project.forget_choices()
    return said


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
