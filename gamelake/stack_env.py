"""Writes what docker-compose.yml and the host's gamelake need into `.env`, secrets generated.

`python -m gamelake.stack_env [FILE]`, run by `make up`. What is set stays as it is; what is
missing or blank is added. Only the owner can read the file.
"""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dotenv import dotenv_values

Values = Mapping[str, str]

_TITLE = "# Written by `make up`. Keep these secrets: the stack's volumes know them."
_KEY_HINT = "RAWG_API_KEY is empty: put your key of https://rawg.io/apidocs there"
_PROFILE_HINT = (
    "GAMELAKE_PROFILE is not stack there: the host's gamelake does not use the servers; "
    "write GAMELAKE_PROFILE=stack and run `make up` again to change that"
)


def _secret(_: Values) -> str:
    """Return 128 random bits; Dremio wants a letter and a digit, compose and URLs no escapes."""
    return f"s{secrets.token_hex(16)}0"


def _fixed(value: str) -> Callable[[Values], str]:
    return lambda _: value


def _local(form: str, port: str, default: int) -> Callable[[Values], str]:
    """Return the address on this machine, at the port that compose publishes there."""
    return lambda values: form.format(values.get(port) or default)


def _database(values: Values) -> str:
    port, password = values.get("POSTGRES_PORT") or 5432, values["GAMELAKE_DB_PASSWORD"]
    return f"postgresql+psycopg://gamelake:{password}@127.0.0.1:{port}/gamelake"


PORTS = frozenset(
    {"MINIO_PORT", "NESSIE_PORT", "POSTGRES_PORT", "DREMIO_PORT", "DREMIO_FLIGHT_PORT"}
)
# What docker-compose.yml takes besides: nobody has to set any of them.
CHOICES = PORTS | {
    *("MINIO_CONSOLE_PORT", "MINIO_IMAGE", "NESSIE_IMAGE", "POSTGRES_IMAGE"),
    *("DREMIO_IMAGE", "DREMIO_PLATFORM", "GAMELAKE_IMAGE", "PYTHON_IMAGE"),
    *("SCHEDULE", "SCHEDULE_COMMAND", "SCHEDULE_RETRY"),
}

# In this order, because an address may be made of what stands before it.
SERVERS: Mapping[str, Callable[[Values], str]] = {
    "COMPOSE_PROFILES": _fixed("all"),
    "MINIO_ROOT_USER": _fixed("gamelake-root"),
    "MINIO_ROOT_PASSWORD": _secret,
    "MINIO_INGEST_SECRET_KEY": _secret,
    "MINIO_ETL_SECRET_KEY": _secret,
    "MINIO_ANALYST_SECRET_KEY": _secret,
    "MINIO_NESSIE_SECRET_KEY": _secret,
    "POSTGRES_PASSWORD": _secret,
    "GAMELAKE_DB_PASSWORD": _secret,
    "NESSIE_DB_PASSWORD": _secret,
    "MINIO_ACCESS_KEY": _fixed("gamelake"),
    "MINIO_SECRET_KEY": _secret,
    "DREMIO_USER": _fixed("gamelake"),
    "DREMIO_PASSWORD": _secret,
    "RAWG_API_KEY": _fixed(""),
    "GAMELAKE_PROFILE": _fixed("stack"),
}
# Only for a host whose gamelake uses the servers: they would pull an embedded lake apart.
HOST: Mapping[str, Callable[[Values], str]] = {
    "GAMELAKE_HOME": _fixed("lake-stack"),
    "MINIO_ENDPOINT": _local("127.0.0.1:{}", "MINIO_PORT", 9000),
    "NESSIE_URI": _local("http://127.0.0.1:{}", "NESSIE_PORT", 19120),
    "DREMIO_URL": _local("http://127.0.0.1:{}", "DREMIO_PORT", 9047),
    "DREMIO_FLIGHT_URL": _local("grpc+tcp://127.0.0.1:{}", "DREMIO_FLIGHT_PORT", 32010),
    "DATABASE_URL": _database,
}

# Every variable that only compose reads, or that it reads too.
COMPOSE_NAMES = frozenset(SERVERS) | CHOICES


def write_env(path: Path, environ: Values) -> list[str]:
    """Complete the file `path`, mode 0600; return the names that were added.

    Ports come from `environ`, then from the file, as they do for compose. The file is replaced in
    one step, so a process that dies leaves either the old one or the new one.
    """
    path = path.resolve()  # a link stays one
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    added = _missing(_values(path), environ)
    for name, value in added.items():
        text = _with(text, name, value)
    if added and _TITLE not in text:
        text = text.replace("COMPOSE_PROFILES=", f"{_TITLE}\nCOMPOSE_PROFILES=", 1)
    _replace(path, text)
    return list(added)


def notes(path: Path, added: Sequence[str], environ: Values) -> list[str]:
    """Return what to tell the user: where the file is, and what is left to do. No secrets."""
    said = f"{len(added)} settings with generated secrets" if added else "nothing to add"
    lines = [f"{path.resolve()}: {said}; only you can read it"]
    values = {**_values(path), **environ}
    if not values.get("RAWG_API_KEY"):
        lines.append(_KEY_HINT)
    if values.get("GAMELAKE_PROFILE") != "stack":
        lines.append(_PROFILE_HINT)
    return lines


def _values(path: Path) -> dict[str, str]:
    found = dotenv_values(path, interpolate=False) if path.is_file() else {}
    return {name: (value or "").strip() for name, value in found.items()}


def _missing(present: Values, environ: Values) -> dict[str, str]:
    """Return what has no value yet; a name that may stay blank is missing only if absent."""
    ports = {name: value for name, value in environ.items() if name in PORTS}
    known: dict[str, str] = {**present, **ports}
    added: dict[str, str] = {}
    for name, make in {**SERVERS, **HOST}.items():
        if name in HOST and known.get("GAMELAKE_PROFILE") != "stack":
            continue
        if not present.get(name):
            value = make(known)
            if value or name not in present:
                known[name] = added[name] = value
    return added


def _with(text: str, name: str, value: str) -> str:
    """Return `text` with the blank line of `name` filled, or a new line at the end."""
    line = f"{name}={value}"
    filled, count = re.subn(rf"(?m)^[ \t]*(export[ \t]+)?{name}[ \t]*=.*$", line, text, count=1)
    if count:
        return filled
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n"


def _replace(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".env.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def main(argv: Sequence[str]) -> int:
    """Complete the file named on the command line (default `.env`) and say where it is."""
    path = Path(argv[0]) if argv else Path(".env")
    added = write_env(path, os.environ)
    sys.stdout.write("".join(f"{line}\n" for line in notes(path, added, os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
