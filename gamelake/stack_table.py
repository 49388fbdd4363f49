"""What `make up` ends with: where everything is, who may log in, and what to do next.

A password is named by its variable in `.env`, never shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gamelake.stack_env import HOME, Values, port

_HEADER = ("service", "state", "address", "user", "password")
_READY = "Ready: make ingest && make etl"
_NOT_USED = (
    "GAMELAKE_PROFILE is not stack in .env: make ingest and make etl do not use these servers.\n"
    f"To change that, write GAMELAKE_PROFILE=stack and GAMELAKE_HOME={HOME} there, then make up"
)


@dataclass(frozen=True)
class Door:
    """A way into a service: `user` and `password` are variables, or the user's name itself."""

    service: str
    address: str
    port: str
    user: str = ""
    password: str = ""


DOORS = (
    Door("minio", "http://127.0.0.1:{} (S3)", "MINIO_PORT", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
    Door(
        "minio",
        "http://127.0.0.1:{} (console)",
        "MINIO_CONSOLE_PORT",
        "MINIO_ROOT_USER",
        "MINIO_ROOT_PASSWORD",
    ),
    Door("nessie", "http://127.0.0.1:{}", "NESSIE_PORT"),
    Door("postgres", "127.0.0.1:{}/gamelake", "POSTGRES_PORT", "gamelake", "GAMELAKE_DB_PASSWORD"),
    Door("dremio", "http://127.0.0.1:{}", "DREMIO_PORT", "DREMIO_USER", "DREMIO_PASSWORD"),
    Door(
        "dremio",
        "127.0.0.1:{} (Flight)",
        "DREMIO_FLIGHT_PORT",
        "DREMIO_USER",
        "DREMIO_PASSWORD",
    ),
)


def stack_table(states: Mapping[str, str], values: Values) -> str:
    """Return one line for each way into a service, or for the service; `values` is `.env`'s."""
    rows = [_HEADER, *(row for name in states for row in _rows(name, states[name], values))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligned = (zip(row, widths, strict=True) for row in rows)
    return "\n".join("  ".join(f"{cell:{wide}}" for cell, wide in row).rstrip() for row in aligned)


def next_step(values: Values) -> str:
    """Return what to do once the stack is up."""
    return _READY if values.get("GAMELAKE_PROFILE") == "stack" else _NOT_USED


def _rows(service: str, state: str, values: Values) -> Iterator[tuple[str, ...]]:
    doors = [door for door in DOORS if door.service == service]
    for door in doors:
        user = values.get(door.user, door.user) or "none"
        password = f".env: {door.password}" if door.password else "none"
        yield service, state, door.address.format(port(values, door.port)), user, password
    if not doors:
        yield service, state, "", "", ""
