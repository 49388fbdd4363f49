"""What goes wrong at an operation, as the system, SQLite or SQLAlchemy would say it.

By name, so that a child process can be told which one.
"""

import errno
import os
import sqlite3
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

MARK = "injected"


def no_space() -> BaseException:
    return OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} ({MARK})")


def io_error() -> BaseException:
    return OSError(errno.EIO, f"{os.strerror(errno.EIO)} ({MARK})")


def access_denied() -> BaseException:
    return OSError(errno.EACCES, f"{os.strerror(errno.EACCES)} ({MARK})")


def database_full() -> BaseException:
    """What a commit to the operational store raises when its disk is full."""
    return OperationalError("COMMIT", {}, sqlite3.OperationalError(f"disk is full ({MARK})"))


def catalog_full() -> BaseException:
    """What a commit to the catalog raises when its disk is full."""
    return sqlite3.OperationalError(f"database or disk is full ({MARK})")


SYSTEM = (no_space, io_error, access_denied)


def errors_at(operation: str) -> tuple[Callable[[], BaseException], ...]:
    """Return what may be raised at an operation of this name."""
    if operation.startswith("db."):
        return (*SYSTEM, database_full)
    if operation == "catalog.branch":
        return (*SYSTEM, catalog_full)
    return SYSTEM
