"""The distribution: nobody else claims our package names, and the wheel carries all it needs."""

import importlib.metadata
import re
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> list[str]:
    """Names of the files in a freshly built wheel."""
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("dist")))
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_no_other_distribution_claims_our_names():
    owners = importlib.metadata.packages_distributions()

    for name in PACKAGES:
        assert set(owners.get(name, ["gamelake"])) == {"gamelake"}


def test_the_wheel_carries_every_source_file(wheel):
    kept = {".py", ".sql", ".mako"}
    for package in PACKAGES:
        files = (p for p in (ROOT / package).rglob("*") if p.suffix in kept)
        missing = {p.relative_to(ROOT).as_posix() for p in files} - set(wheel)
        assert not missing


def test_the_wheel_carries_views_and_migrations(wheel):
    assert "serving/views/games_clean.sql" in wheel
    assert "storage/database/migrations/versions/0001_operational_store.py" in wheel


def test_the_wheel_carries_nothing_else(wheel):
    top = {name.partition("/")[0] for name in wheel}

    assert {name for name in top if not name.endswith(".dist-info")} == set(PACKAGES)


def test_it_cannot_be_uploaded():
    assert "Private :: Do Not Upload" in PROJECT["project"]["classifiers"]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_requirement_by_hash_and_names_no_host(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9-]+==\S+ \\\n    --hash=sha256:", text, re.MULTILINE)

    assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
    assert "://" not in text
    assert "--index" not in text
    assert "file:" not in text


def test_the_locks_agree_and_hold_every_direct_dependency():
    def pins(name: str) -> dict[str, str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))

    runtime, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    named = {re.split(r"[\[=<>]", one)[0] for one in PROJECT["project"]["dependencies"]}
    tools = {
        re.split(r"[\[=<>]", one)[0] for one in PROJECT["project"]["optional-dependencies"]["dev"]
    }

    assert named <= runtime.keys()
    assert tools <= dev.keys()
    assert {name: dev.get(name) for name in runtime} == runtime
