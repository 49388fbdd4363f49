"""`python -m testbed install` with the tools of a machine that the test makes up."""

import os
from pathlib import Path

import pytest

from testbed import install as installing
from testbed.__main__ import main
from testbed.artifacts import Artifacts
from testbed.spark import JARS
from utils.errors import GamelakeError, ServiceDown, UsageError


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no tool at all: a test adds programs to this folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "cache")


def program(machine: Path, name: str, script: str) -> None:
    path = machine / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    path.chmod(0o755)


def refused(kept: Artifacts) -> GamelakeError:
    with pytest.raises(GamelakeError) as caught:
        installing.install(kept)
    return caught.value


def files(kept: Artifacts) -> list[Path]:
    return [path for path in kept.cache.rglob("*") if path.is_file()]


def test_a_machine_without_go_is_told_what_to_install(machine: Path, kept: Artifacts) -> None:
    assert not any(machine.iterdir())
    error = refused(kept)
    assert isinstance(error, UsageError)
    assert "golang-go is not installed" in error.message
    assert error.hint == "install golang-go with this system's package manager"


def test_an_old_go_is_refused(machine: Path, kept: Artifacts) -> None:
    program(machine, "go", "echo go1.19.8")
    assert "go1.19.8" in refused(kept).message


def test_a_failing_build_says_why_and_leaves_nothing(machine: Path, kept: Artifacts) -> None:
    program(
        machine,
        "go",
        '[ "$1" = env ] && echo go1.26.1 && exit\ntouch $GOBIN/minio\necho no route\nexit 1',
    )
    error = refused(kept)
    assert isinstance(error, ServiceDown)
    assert "no route" in error.message
    assert files(kept) == []


def test_another_jar_than_the_tested_one_is_refused(machine: Path, kept: Artifacts) -> None:
    kept.minio_path.parent.mkdir(parents=True)
    kept.minio_path.touch()
    target = f'"${{word#*=}}/{kept.nessie_path.name}"'
    program(
        machine,
        "mvn",
        f"for word; do case $word in -DoutputDirectory=*) echo x > {target};; esac; done",
    )
    assert "is not the file that was tested" in refused(kept).message
    assert files(kept) == [kept.minio_path]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages")
def test_debian_brings_what_is_missing(
    machine: Path, kept: Artifacts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(installing, "postgres_folder", lambda: None)
    program(machine, "apt-get", f'echo "$RUNLEVEL $@" >> {tmp_path / "asked"}')
    program(machine, "java", "")
    for path in (kept.minio_path, kept.nessie_path, *(jar.path(kept.cache) for jar in JARS)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Artifacts, "postgres", property(lambda _: Path("/pg")))
        patched.setattr(Artifacts, "java", property(lambda _: Path("/java")))
        assert installing.install(kept)[2] == "PostgreSQL: /pg"
    assert (tmp_path / "asked").read_text().splitlines() == [
        "1 update --quiet",
        "1 install --yes --quiet --no-install-recommends postgresql",
    ]


def test_a_server_that_is_not_installed_names_the_command(
    kept: Artifacts,
) -> None:
    with pytest.raises(UsageError) as caught:
        _ = kept.minio
    assert "python -m testbed install" in caught.value.hint


def test_the_command_line_ends_with_the_exit_code_of_the_error(
    machine: Path,
    kept: Artifacts,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not any(machine.iterdir())
    monkeypatch.setattr("testbed.__main__.artifacts", lambda: kept)
    assert main(["install"]) == UsageError.exit_code
    assert "golang-go" in capsys.readouterr().err


def test_java_alone_can_be_had(
    machine: Path, kept: Artifacts, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["install", "java"]) == UsageError.exit_code
    assert "install default-jre-headless" in capsys.readouterr().err

    program(machine, "java", "")

    assert main(["install", "java"]) == 0
    assert capsys.readouterr().out == f"Java for Spark: {machine / 'java'}\n"
    assert files(kept) == []
