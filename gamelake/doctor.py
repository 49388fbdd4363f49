"""Named checks of this machine and this configuration; none needs the network or writes."""

import difflib
import importlib.metadata
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

import utils
from gamelake.context import existing_folder
from gamelake.diagnosis import Diagnosis, Level
from gamelake.doctor_docker import check_docker, check_ports
from gamelake.doctor_lake import check_lake
from gamelake.stack_env import COMPOSE_NAMES, read_env
from utils.config import Settings
from utils.extras import install_command

_GB = 1_000_000_000
_DOTENV = Path(".env")
_OURS = ("RAWG_", "GAMELAKE_", "MINIO_", "NESSIE_", "DREMIO_", "DATABASE_")
_FAULT = "GAMELAKE_FAULT"
_LIBRARIES = ("duckdb", "pyarrow", "pyiceberg", "ibis-framework", "sqlalchemy", "pynessie")
_STACK_SECRETS = ("minio_access_key", "minio_secret_key", "database_url")


def diagnose(settings: Settings, environ: Mapping[str, str]) -> list[Diagnosis]:
    """Run every check."""
    checks: tuple[Callable[[], Diagnosis], ...] = (
        check_versions,
        check_packages,
        lambda: check_profile(settings),
        lambda: check_key(settings),
        lambda: check_names(environ),
        check_dotenv_mode,
        lambda: check_base_url(settings),
        lambda: check_home(settings),
        lambda: check_lake(settings),
        lambda: check_disk(settings),
        check_memory,
        check_clock,
        lambda: check_fault(environ),
        check_docker,
        lambda: check_ports({**read_env(_DOTENV), **environ}),
    )
    return [check() for check in checks]


def check_versions() -> Diagnosis:
    """Libraries are there; pynessie breaks with marshmallow 4."""
    python = ".".join(map(str, sys.version_info[:3]))
    found = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    marshmallow = importlib.metadata.version("marshmallow")
    if int(marshmallow.partition(".")[0]) >= 4:
        fix = f"{install_command('marshmallow<4')}: pynessie cannot use a newer one"
        return Diagnosis("versions", "fail", f"marshmallow {marshmallow}", fix)
    return Diagnosis("versions", "ok", f"python {python}, {found}")


def check_packages() -> Diagnosis:
    """Our package `utils` has a common name: another one must not stand before it."""
    ours, found = Path(__file__).resolve().parents[1], Path(utils.__file__ or "").resolve()
    if found.parents[1] != ours:
        fix = f"run from another folder, or remove {found.parent} from PYTHONPATH"
        return Diagnosis("packages", "fail", f"utils is imported from {found.parent}", fix)
    return Diagnosis("packages", "ok", f"gamelake {importlib.metadata.version('gamelake')}")


def check_profile(settings: Settings) -> Diagnosis:
    """The profile has what it needs: the stack has no defaults for its secrets."""
    if settings.gamelake_profile == "embedded":
        return Diagnosis("profile", "ok", "embedded: a folder, no server")
    unset = [name.upper() for name in _STACK_SECRETS if not _is_set(settings, name)]
    if unset:
        fix = "make up (it writes them to .env), or GAMELAKE_PROFILE=embedded"
        return Diagnosis("profile", "fail", f"stack, but {', '.join(unset)} not set", fix)
    return Diagnosis("profile", "ok", "stack: MinIO, Nessie and PostgreSQL")


def _is_set(settings: Settings, name: str) -> bool:
    secret: SecretStr = getattr(settings, name)
    return bool(secret.get_secret_value())


def check_key(settings: Settings) -> Diagnosis:
    """A RAWG key is set."""
    if not settings.rawg_api_key.get_secret_value():
        fix = "get a free key at https://rawg.io/apidocs and put it in .env as RAWG_API_KEY"
        return Diagnosis("rawg key", "warn", "not set; the demo needs none", fix)
    return Diagnosis("rawg key", "ok", "set")


def check_names(environ: Mapping[str, str]) -> Diagnosis:
    """No variable looks like a setting of ours and is none."""
    known = {name.upper() for name in Settings.model_fields} | {_FAULT} | COMPOSE_NAMES
    given = {*environ, *read_env(_DOTENV)}
    odd = sorted(name for name in given - known if name.startswith(_OURS))
    if not odd:
        return Diagnosis("names", "ok", "every variable is known")
    near = difflib.get_close_matches(odd[0], known, n=1)
    fix = f"did you mean {near[0]}?" if near else "see .env.example for the names"
    return Diagnosis("names", "warn", f"{', '.join(odd)}: no such setting", fix)


def check_dotenv_mode() -> Diagnosis:
    """Nobody else may read the file that holds the key."""
    if _DOTENV.is_file() and _DOTENV.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return Diagnosis("dotenv", "warn", ".env can be read by others", "chmod 600 .env")
    return Diagnosis("dotenv", "ok", "private" if _DOTENV.is_file() else "no .env here")


def check_base_url(settings: Settings) -> Diagnosis:
    """RAWG's address ends in /api."""
    url = settings.rawg_base_url
    if not url.rstrip("/").endswith("/api"):
        fix = f"RAWG_BASE_URL={url.rstrip('/')}/api"
        return Diagnosis("base url", "warn", f"{url} does not end in /api", fix)
    return Diagnosis("base url", "ok", url)


def check_home(settings: Settings) -> Diagnosis:
    """The lake's folder can be written, and its file system has hard links."""
    home = settings.gamelake_home.absolute()
    folder = existing_folder(home)
    try:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            first = Path(scratch, "a")
            first.touch()
            Path(scratch, "b").hardlink_to(first)
    except OSError as error:
        fix = "set GAMELAKE_HOME to a folder on a local disk that you may write to"
        return Diagnosis("home", "fail", f"{folder}: {error.strerror}", fix)
    return Diagnosis("home", "ok", str(home))


def check_disk(settings: Settings) -> Diagnosis:
    """The whole catalogue takes some 3 GB, raw and tables of a few runs."""
    free = shutil.disk_usage(existing_folder(settings.gamelake_home.absolute())).free
    fix = "free some space, or set GAMELAKE_HOME to another disk"
    level: Level = "ok" if free > 5 * _GB else "warn" if free > _GB else "fail"
    return Diagnosis("disk", level, f"{free / _GB:,.1f} GB free", "" if level == "ok" else fix)


def check_memory() -> Diagnosis:
    """A build takes up to 1.5 GB."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory < 2 * _GB:
        fix = "a build of the whole catalogue takes up to 1.5 GB: close something first"
        return Diagnosis("memory", "warn", f"{memory / _GB:,.1f} GB", fix)
    return Diagnosis("memory", "ok", f"{memory / _GB:,.1f} GB")


def check_clock() -> Diagnosis:
    """The clock is not before this program was written."""
    built = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    now = datetime.now(UTC)
    if now < built - timedelta(days=1):
        return Diagnosis("clock", "warn", f"{now:%Y-%m-%d} is in the past", "set the clock (NTP)")
    return Diagnosis("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def check_fault(environ: Mapping[str, str]) -> Diagnosis:
    """No fault of the tests is armed."""
    if environ.get(_FAULT):
        return Diagnosis("fault", "fail", f"{_FAULT} is set: it breaks runs", f"unset {_FAULT}")
    return Diagnosis("fault", "ok", "none is armed")
