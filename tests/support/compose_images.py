"""The images that docker-compose.yml names: pulled where a registry can be reached, else made here.

A stand-in carries the real server (MinIO by `go install`, Nessie's jar, PostgreSQL from Debian)
under the very tag that the compose file names, so that file is run as it is shipped. It has the
label `gamelake.standin`, and is built anew by every session: only its base is kept.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from compose_engine import attempt, output

from testbed.artifacts import artifacts

STANDINS = Path(__file__).parents[1] / "compose" / "standins"
_ROOTFS, _BASE = "gamelake-standin:rootfs", "gamelake-standin:base"
_DREMIO = "gamelake-standin:dremio"
_CERTIFICATES = Path("/usr/local/share/ca-certificates")
_INCLUDE = "ca-certificates,python3,python3-venv,postgresql"
Fill = Callable[[Path], object]


def provide(tags: Mapping[str, str]) -> dict[str, str]:
    """Have all images here; `tags` maps python, minio, nessie and postgres to what compose names.

    Returns where each came from: local, pulled or standin.
    """
    return {name: _provide(name, tag) for name, tag in tags.items()}


def dremio_standin() -> str:
    """Return the tag of an image in which the strict stand-in for Dremio serves."""
    _build("dremio", _DREMIO, _dremio)
    return _DREMIO


def _provide(name: str, tag: str) -> str:
    if _is_real(tag):
        return "local"
    if attempt("docker", "pull", tag).returncode == 0:
        return "pulled"
    _base()
    if name == "python":
        output("docker", "tag", _BASE, tag)
    else:
        _build(name, tag, _FILL[name])
    return "standin"


def _is_real(tag: str) -> bool:
    form = '{{ index .Config.Labels "gamelake.standin" }}'
    found = attempt("docker", "image", "inspect", "--format", form, tag)
    return found.returncode == 0 and found.stdout.strip() != "yes"


def _base() -> None:
    if not output("docker", "images", "--quiet", _ROOTFS):
        make = f"mmdebstrap --quiet --variant=minbase --include={_INCLUDE} bookworm -"
        output("bash", "-o", "pipefail", "-c", f"{make} | docker import - {_ROOTFS}")
    _build("base", _BASE, _certificates)


def _build(name: str, tag: str, fill: Fill) -> None:
    with TemporaryDirectory() as folder:
        context = Path(folder)
        shutil.copy(STANDINS / f"{name}.Dockerfile", context / "Dockerfile")
        fill(context)
        output("docker", "build", "--quiet", "--tag", tag, context)


def _certificates(context: Path) -> None:
    """A build that fetches needs the authorities that this machine trusts besides Debian's."""
    target = context / "certificates"
    target.mkdir()
    for file in _CERTIFICATES.glob("*.crt"):
        shutil.copy(file, target)


def _minio(context: Path) -> None:
    shutil.copy(artifacts().minio, context / "minio")


def _nessie(context: Path) -> None:
    shutil.copy(artifacts().nessie, context / "nessie.jar")
    shutil.copytree(artifacts().java.parents[1], context / "java-runtime")


def _postgres(context: Path) -> None:
    shutil.copy(STANDINS / "postgres-entrypoint.sh", context)


def _dremio(context: Path) -> None:
    target = context / "standin"
    target.mkdir()
    for file in Path(__file__).parent.glob("dremio_*"):
        shutil.copy(file, target)


_FILL: Mapping[str, Fill] = {"minio": _minio, "nessie": _nessie, "postgres": _postgres}
