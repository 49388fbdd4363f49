"""Logging: human lines on stderr, everything of note in a file, secrets in neither."""

import logging
import sys
import time
from pathlib import Path
from typing import TextIO

from utils.redact import RedactingFormatter, Redactor

_HUMAN = "%(levelname)s: %(message)s"
_FULL = "%(asctime)sZ %(levelname)-7s %(process)d %(threadName)s %(name)s: %(message)s"
_OFF = logging.CRITICAL + 1
_LEVELS = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO, 2: logging.DEBUG}

# Libraries that print a line a request or a statement: of use only when one asks for all.
_CHATTY = ("alembic", "urllib3", "pyiceberg", "sqlalchemy", "botocore", "s3fs", "fsspec")

# A warning for every request that is sent once more; if none succeeds, an error says so.
_REPEATS = "urllib3.connectionpool"


class _LazyFile(logging.FileHandler):
    """A log file that appears, with its folder, at its first line."""

    def _open(self) -> TextIO:  # type: ignore[override]
        path = Path(self.baseFilename)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a", encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a log that cannot be written says so once and ends no run."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Give the file up. The standard way prints the record, and would print secrets."""
        del record
        self.setLevel(_OFF)
        sys.stderr.write(f"WARNING: the log {self.baseFilename} cannot be written\n")


class Logging:
    """The handlers of one command; `close` takes them off again."""

    def __init__(self, handlers: list[logging.Handler]) -> None:
        self._handlers = handlers

    def close(self) -> None:
        """Remove the handlers and close their files."""
        for handler in self._handlers:
            logging.getLogger().removeHandler(handler)
            handler.close()


def set_up_logging(folder: Path | None, *, verbosity: int, redact: Redactor) -> Logging:
    """Send log records to stderr and, at info level or below, to `folder`/gamelake-YYYYMMDD.log.

    `verbosity`: -1 errors (`-q`), 0 warnings, 1 info (`-v`), 2 debug with libraries (`-vv`).
    """
    level = _LEVELS[max(-1, min(verbosity, 2))]
    human = logging.StreamHandler(sys.stderr)
    human.setLevel(level)
    human.setFormatter(RedactingFormatter(_HUMAN, redact))
    handlers: list[logging.Handler] = [human]
    if folder is not None:
        handlers.append(_file(folder, min(level, logging.INFO), redact))
    root = logging.getLogger()
    root.setLevel(min(handler.level for handler in handlers))
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if verbosity >= 2 else logging.WARNING)
    logging.getLogger(_REPEATS).setLevel(logging.NOTSET if verbosity >= 2 else logging.ERROR)
    for handler in handlers:
        root.addHandler(handler)
    return Logging(handlers)


def _file(folder: Path, level: int, redact: Redactor) -> logging.Handler:
    handler = _LazyFile(folder / time.strftime("gamelake-%Y%m%d.log", time.gmtime()), delay=True)
    formatter = RedactingFormatter(_FULL, redact)
    formatter.converter = time.gmtime
    handler.setLevel(level)
    handler.setFormatter(formatter)
    return handler
