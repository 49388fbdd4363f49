"""Writes what docker-compose.yml and the host's gamelake need into `.env`, secrets generated.

`python -m gamelake.stack_env [FILE]`, run by `make up`. After it the file says what compose is
about to start, so that a later command without today's environment finds the same stack: choices
made in the environment are written down, what is missing or blank is added, addresses that were
written here follow their port and password, all else stays. Only the owner can read the file.
"""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from utils.config import read_dotenv
from utils.errors import UsageError

Values = Mapping[str, str]

_TITLE = "# Written by `make up`. Keep these secrets: the stack's volumes know them."
_KEY_HINT = "RAWG_API_KEY is empty: put your key of https://rawg.io/apidocs there"
_DB_PASSWORD = "GAMELAKE_DB_PASSWORD"  # noqa: S105 - a name
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")  # what an address holds without escapes
_UNQUOTED = re.compile(r"[\w./:@,+*~-]*")


def _secret() -> str:
    """Return 128 random bits; Dremio wants a letter and a digit, compose and URLs no escapes."""
    return f"s{secrets.token_hex(16)}0"


def _fixed(value: str) -> Callable[[], str]:
    return lambda: value


@dataclass(frozen=True)
class Address:
    """An address on this machine, at the port that compose publishes there."""

    form: str
    port: str

    def of(self, values: Values) -> str:
        """Return the address; `{password}` in the form is the operational store's."""
        return self.form.format(port=port(values, self.port), password=values[_DB_PASSWORD])

    def made(self, address: str) -> bool:
        """Return whether `address` was made by this form, with whatever port and password."""
        form = re.escape(self.form).replace(r"\{port\}", r"\d+")
        return re.fullmatch(form.replace(r"\{password\}", ".*"), address) is not None


PORTS: Mapping[str, int] = {
    "MINIO_PORT": 9000,
    "MINIO_CONSOLE_PORT": 9001,
    "NESSIE_PORT": 19120,
    "POSTGRES_PORT": 5432,
    "DREMIO_PORT": 9047,
    "DREMIO_FLIGHT_PORT": 32010,
}
# What docker-compose.yml takes besides: nobody has to set any of them.
CHOICES = frozenset(PORTS) | {
    *("MINIO_IMAGE", "NESSIE_IMAGE", "POSTGRES_IMAGE", "DREMIO_IMAGE", "DREMIO_PLATFORM"),
    *("GAMELAKE_IMAGE", "PYTHON_IMAGE", "SCHEDULE", "SCHEDULE_COMMAND", "SCHEDULE_RETRY"),
}

SERVERS: Mapping[str, Callable[[], str]] = {
    "COMPOSE_PROFILES": _fixed("all"),
    "MINIO_ROOT_USER": _fixed("gamelake-root"),
    "MINIO_ROOT_PASSWORD": _secret,
    "MINIO_INGEST_SECRET_KEY": _secret,
    "MINIO_ETL_SECRET_KEY": _secret,
    "MINIO_ANALYST_SECRET_KEY": _secret,
    "MINIO_NESSIE_SECRET_KEY": _secret,
    "POSTGRES_PASSWORD": _secret,
    _DB_PASSWORD: _secret,
    "NESSIE_DB_PASSWORD": _secret,
    "MINIO_ACCESS_KEY": _fixed("gamelake"),
    "MINIO_SECRET_KEY": _secret,
    "DREMIO_USER": _fixed("gamelake"),
    "DREMIO_PASSWORD": _secret,
    "GAMELAKE_PROFILE": _fixed("stack"),
}
# Only for a host whose gamelake uses the servers: they would pull an embedded lake apart.
HOME = "lake-stack"
ADDRESSES: Mapping[str, Address] = {
    "MINIO_ENDPOINT": Address("127.0.0.1:{port}", "MINIO_PORT"),
    "NESSIE_URI": Address("http://127.0.0.1:{port}", "NESSIE_PORT"),
    "DREMIO_URL": Address("http://127.0.0.1:{port}", "DREMIO_PORT"),
    "DREMIO_FLIGHT_URL": Address("grpc+tcp://127.0.0.1:{port}", "DREMIO_FLIGHT_PORT"),
    "DATABASE_URL": Address(
        "postgresql+psycopg://gamelake:{password}@127.0.0.1:{port}/gamelake", "POSTGRES_PORT"
    ),
}

# Every variable that only compose reads, or that it reads too.
COMPOSE_NAMES = frozenset(SERVERS) | CHOICES


def port(values: Values, name: str) -> int:
    """Return the port that compose publishes; raises UsageError when it is none."""
    value = values.get(name) or str(PORTS[name])
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65_536:
        raise _unusable(name, "it has to be a number from 1 to 65535")
    return int(value)


def write_env(path: Path, environ: Values) -> list[str]:
    """Bring the file `path` up to date, mode 0600; return the names that were written.

    Raises UsageError when a value cannot be used. The file is replaced in one step, so a process
    that dies leaves either the old one or the new one.
    """
    path = path.resolve()  # a link stays one
    present = read_env(path)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    wanted = _wanted(present, environ)
    written = [name for name, value in wanted.items() if present.get(name) != value]
    for name in written:
        text = _with(text, name, wanted[name])
    if written and _TITLE not in text:
        text = text.replace("COMPOSE_PROFILES=", f"{_TITLE}\nCOMPOSE_PROFILES=", 1)
    _replace(path, text)
    return written


def notes(path: Path, written: Sequence[str], environ: Values) -> list[str]:
    """Return what to tell the user: where the file is, and what is left to do. No secrets."""
    said = f"{len(written)} settings written" if written else "nothing to write"
    lines = [f"{path.resolve()}: {said}; it holds the secrets, and only you can read it"]
    if not {**read_env(path), **environ}.get("RAWG_API_KEY"):
        lines.append(_KEY_HINT)
    return lines


def read_env(path: Path) -> dict[str, str]:
    """Return what the file sets, as it stands there; nothing when there is no file.

    Raises UsageError naming a line that cannot be read.
    """
    found = read_dotenv(path, interpolate=False) if path.is_file() else {}
    return {name: (value or "").strip() for name, value in found.items()}


def _wanted(present: Values, environ: Values) -> dict[str, str]:
    """Return what the file has to say, in the order of writing."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    values = {
        name: present.get(name) or given.get(name) or make() for name, make in SERVERS.items()
    }
    # What compose takes from the environment first. Not the secrets: the volumes know the old ones.
    values.update({n: given[n] for n in sorted(CHOICES | {"COMPOSE_PROFILES"}) if n in given})
    values["RAWG_API_KEY"] = present.get("RAWG_API_KEY", "")
    _check_password({**values, **given}[_DB_PASSWORD])
    if values["GAMELAKE_PROFILE"] == "stack":
        values["GAMELAKE_HOME"] = present.get("GAMELAKE_HOME") or HOME
        for name, address in ADDRESSES.items():
            set_to = present.get(name) or ""
            ours = not set_to or address.made(set_to)
            values[name] = address.of({**present, **values}) if ours else set_to
    return values


def _check_password(password: str) -> None:
    if not _PLAIN.fullmatch(password):
        raise _unusable(_DB_PASSWORD, "it is part of an address: letters, digits and _ . ~ - only")


def _unusable(name: str, why: str) -> UsageError:
    return UsageError(
        f"{name} cannot be used: {why}",
        operation="write .env",
        subject=name,
        hint=f"set another {name} in .env or in the environment, then `make up`",
    )


def _with(text: str, name: str, value: str) -> str:
    """Return `text` with the line of `name` set, or a new line at the end."""
    line = f"{name}={_quoted(name, value)}"
    pattern = rf"(?m)^[ \t]*(export[ \t]+)?{name}[ \t]*=.*$"
    # The last one counts, for compose and for gamelake.
    filled, count = re.subn(pattern, lambda _: line, text)
    if count:
        return filled
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n"


def _quoted(name: str, value: str) -> str:
    """Return the value as both Composes and python-dotenv read it back."""
    if _UNQUOTED.fullmatch(value):
        return value
    if set(value) & set("'$\\\n"):
        raise _unusable(name, "neither Compose reads ' $ \\ or a line end in .env as gamelake does")
    return f"'{value}'"


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
    """Bring up to date the file named on the command line (default `.env`) and say where it is."""
    path = Path(argv[0]) if argv else Path(".env")
    try:
        written = write_env(path, os.environ)
    except UsageError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {error.hint}\n")
        return error.exit_code
    sys.stdout.write("".join(f"{line}\n" for line in notes(path, written, os.environ)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
