"""What goes wrong at an operation on a server, as the code around it is told of it."""

from collections.abc import Callable

import psycopg
from injected import MARK, SYSTEM, no_space
from sqlalchemy.exc import OperationalError

from utils.errors import ServiceDown


def minio_down() -> BaseException:
    return ServiceDown(f"MinIO does not answer ({MARK})", operation="write an object")


def nessie_down() -> BaseException:
    return ServiceDown(f"Nessie does not answer ({MARK})", operation="ask the catalog")


def postgres_down() -> BaseException:
    gone = psycopg.OperationalError(f"server closed the connection unexpectedly ({MARK})")
    return OperationalError("COMMIT", {}, gone, connection_invalidated=True)


_SERVERS = {"store": minio_down, "catalog": nessie_down, "db": postgres_down}


def stack_errors_at(operation: str) -> tuple[Callable[[], BaseException], ...]:
    """Return what may be raised at an operation of this name."""
    if operation == "warehouse.write":
        return (minio_down, no_space)  # of MinIO, or of the folder where the file is made
    area = operation.partition(".")[0]
    return (_SERVERS[area],) if area in _SERVERS else SYSTEM
