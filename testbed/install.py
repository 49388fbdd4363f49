"""Obtain what is missing for the servers, by the package managers' own clients; idempotent."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from testbed.artifacts import MINIO_VERSION, NESSIE_VERSION, Artifacts, missing, postgres_folder
from testbed.spark import JARS
from utils.errors import ServiceDown

_NESSIE_SHA256 = "ce9fa33e2878bf5ea3981876b9e6204cabc0362b3dd82326b10e47271a78c417"
_GO = (1, 21)  # from here on go fetches the toolchain that a module asks for
_APT = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends")
_LINES = 15


def install(kept: Artifacts) -> list[str]:
    """Bring all servers here; return what was done, one line for each server.

    Raises UsageError when a tool is missing that cannot be had here, ServiceDown when one fails.
    """
    return [
        _minio(kept),
        _nessie(kept),
        _postgres(kept),
        f"Java: {kept.java}",
        *_spark(kept),
    ]


def _minio(kept: Artifacts) -> str:
    target = kept.minio_path
    if not target.is_file():
        go = _go()
        with _beside(target) as folder:
            environ = os.environ | {"GOBIN": str(folder), "CGO_ENABLED": "0"}
            _run([go, "install", f"github.com/minio/minio@{MINIO_VERSION}"], folder, environ)
            (folder / "minio").replace(target)
    return f"MinIO: {target}"


def _nessie(kept: Artifacts) -> str:
    artifact = f"org.projectnessie.nessie:nessie-quarkus:{NESSIE_VERSION}:jar:runner"
    _maven(kept.nessie_path, artifact, _NESSIE_SHA256)
    return f"Nessie: {kept.nessie_path}"


def java_for_spark() -> str:
    """Bring a whole Java: the wheel's has too few modules. For its errors see `install`."""
    return f"Java for Spark: {_tool('java', 'default-jre-headless')}"


def _spark(kept: Artifacts) -> Iterator[str]:
    """Bring a Java, and jars for Iceberg and S3."""
    yield java_for_spark()
    for jar in JARS:
        target = jar.path(kept.cache)
        _maven(target, jar.coordinates, jar.sha256)
        yield f"Spark: {target}"


def _maven(target: Path, artifact: str, sha256: str) -> None:
    if target.is_file():
        return
    mvn = _tool("mvn", "maven", "default-jre-headless")
    with _beside(target) as folder:
        own = [f"-Dmaven.repo.local={folder / 'repository'}", f"-DoutputDirectory={folder}"]
        copy = ["dependency:copy", f"-Dartifact={artifact}", *own]
        _run([mvn, "--batch-mode", "--quiet", "--strict-checksums", *copy], folder)
        _check(folder / target.name, sha256)
        (folder / target.name).replace(target)


def _postgres(kept: Artifacts) -> str:
    if postgres_folder() is None:
        _apt("postgresql")
    return f"PostgreSQL: {kept.postgres}"


def _go() -> str:
    go = shutil.which("go") or _tool("go", "golang-go")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)  # noqa: S603
    version = tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:2])
    if version < _GO:
        raise missing(
            f"Go {_GO[0]}.{_GO[1]} or newer ({go} is {said.stdout.strip() or 'older'})",
            "install Go from go.dev/doc/install and put it on PATH",
        )
    return go


def _tool(program: str, *packages: str) -> str:
    """Return the path of a program, which Debian's packages bring where we may install them."""
    if shutil.which(program) is None:
        _apt(*packages)
    found = shutil.which(program)
    if found is None:
        raise missing(program, f"install it ({' '.join(packages)} on Debian) and put it on PATH")
    return found


def _apt(*packages: str) -> None:
    named = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise missing(named, f"install {named} with this system's package manager")
    if os.geteuid() != 0:
        raise missing(named, f"as root: apt-get install {named}")
    # The run level keeps Debian from starting a server of its own.
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    _run(["apt-get", "update", "--quiet"], Path("/"), environ)
    _run([*_APT, *packages], Path("/"), environ)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a folder to build in, on the target's disk; the target appears whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        yield Path(folder)


def _run(command: list[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
    print(f"+ {' '.join(command)}", flush=True)
    done = subprocess.run(  # noqa: S603 - a package manager with our own arguments
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-_LINES:])
        raise ServiceDown(
            f"{command[0]} ended with {done.returncode}:\n{said}",
            operation="install the servers",
            subject=" ".join(command),
            hint="the message above is the package manager's; the command can be repeated",
        )


def _check(jar: Path, sha256: str) -> None:
    with jar.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        raise ServiceDown(
            f"{jar.name} is not the file that was tested (sha256 {found})",
            operation="install the servers",
            subject=jar.name,
            hint="delete it from Maven's mirror or proxy, which changed it",
        )
