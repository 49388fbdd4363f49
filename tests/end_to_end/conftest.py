"""Stages that a test process builds once."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lakes import hurry
from stack_lakes import StackPlace
from sweep_scenarios import Stages

from testbed.stack import Stack


@pytest.fixture(scope="session")
def memory_folder() -> Iterator[Path]:
    """Return a folder that is memory where there is such a thing: syncing costs nothing there."""
    shm = Path("/dev/shm")  # noqa: S108 - a fresh folder of our own in it
    folder = Path(tempfile.mkdtemp(prefix="gamelake-", dir=shm if shm.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def _stages(memory_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    stages = Stages(memory_folder, _shared(tmp_path_factory))
    yield stages
    stages.close()


@pytest.fixture(scope="session")
def _stack_stages(
    stack: Stack, memory_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stages]:
    folder, shared = memory_folder / "stack", _shared(tmp_path_factory) / "stack"
    for made in (folder, shared):
        made.mkdir(exist_ok=True)
    stages = Stages(folder, shared, lambda home: StackPlace(stack, home / "lake"))
    yield stages
    stages.close()


def _shared(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all test processes of this run see."""
    base = factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """See lakes.hurry; and no `.env` of a developer is read."""
    hurry(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def stages(_stages: Stages, quick: None) -> Stages:  # noqa: ARG001 - quick is what it does
    """Scenarios, set up and ready to be broken."""
    return _stages


@pytest.fixture
def stack_stages(_stack_stages: Stages, quick: None) -> Stages:  # noqa: ARG001 - see stages
    """Scenarios on real servers, set up and ready to be broken."""
    return _stack_stages
