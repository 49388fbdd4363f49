"""Turns the query engine's errors into ours: its own words, and what to do next."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import duckdb

from serving.gate import shorten
from utils.errors import Damaged, GamelakeError, ServiceDown, UsageError

_MEANT = re.compile(r'\n?(?:Did you mean "([^"]+)"\??|Candidate bindings: ([^\n]+))')
_MISSING = re.compile("No such file|FileNotFoundError|AWS Error (?:NO_SUCH_KEY|RESOURCE_NOT_FOUND)")
_UNREADABLE = re.compile("registered as '([^']+)' failed: ((?:IOError|Invalid: Could not open).*)")
_HIDDEN = re.compile(r"\btemp\.main\.pinned_|\b(?:main\.)?pinned_")


@contextmanager
def explained(text: str, names: Collection[str]) -> Iterator[None]:
    """Raise UsageError for what is wrong with the query `text`, ServiceDown for the lake.

    `names` are those of the tables and views that a hint may suggest.
    """
    try:
        yield
    except duckdb.Error as error:
        raise _translated(error, text, names) from None


def _translated(error: duckdb.Error, text: str, names: Collection[str]) -> GamelakeError:
    message = _HIDDEN.sub("", str(error)).strip()
    kind: type[GamelakeError] = UsageError
    if isinstance(error, duckdb.OutOfMemoryException):
        message = message.splitlines()[0]
        hint = "aggregate, filter or LIMIT; joining two bridges multiplies rows"
    elif isinstance(error, duckdb.PermissionException):
        hint = "queries see only the tables of the lake, no files; .tables lists them"
    elif _MISSING.search(message):
        kind, hint = Damaged, f"a data file is missing: {Damaged.next_step}"
    elif "AWS Error" in message:  # as Arrow calls whatever speaks S3
        kind, hint = (
            ServiceDown,
            "start MinIO (`make up`) or correct MINIO_ENDPOINT, then ask again",
        )
        message = f"MinIO does not give the tables' files: {message.rpartition('AWS Error ')[2]}"
    elif found := _UNREADABLE.search(message):
        message = f"a file of {found[1]} cannot be read: {found[2]}"
        kind, hint = Damaged, Damaged.next_step
        if "[errno " in message:  # the system refused: what is stored may be sound
            kind, hint = ServiceDown, "check the rights of the lake's folder (gamelake doctor)"
    else:
        message, hint = _suggested(message, names)
    return kind(message, operation="query", subject=shorten(text), hint=hint)


def _suggested(message: str, names: Collection[str]) -> tuple[str, str]:
    """Return the message without DuckDB's suggestion, and the hint that is made of it."""
    found = _MEANT.search(message)
    message = _MEANT.sub("", message)
    meant = (found[1] or found[2]).replace('"', "") if found else ""
    # For a table DuckDB may suggest one of its own, such as pg_enum.
    if meant and ("Table with name" not in message or meant.rpartition(".")[2] in names):
        return message, f"did you mean {meant}?"
    return message, "gamelake sql, then .tables and .schema NAME show what there is"
