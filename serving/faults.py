"""Turns the query engine's errors into ours: its own words, and what to do next."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import duckdb

from serving.gate import shorten
from utils.errors import Damaged, GamelakeError, ServiceDown, UsageError

_MEANT = re.compile(r'\n?(?:Did you mean "([^"]+)"\??|Candidate bindings: ([^\n]+))')
_MISSING = re.compile("No such file|FileNotFoundError|AWS Error (?:NO_SUCH_KEY|RESOURCE_NOT_FOUND)")
_READING = re.compile("reading the stream registered as '([^']+)' failed: (.*)", re.DOTALL)
_UNREADABLE = re.compile("IOError|Invalid: Could not open")
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
    elif (found := _READING.search(message)) and _UNREADABLE.match(found[2]):
        kind, message, hint = _refused(found[1], found[2])
    else:
        message, hint = _suggested(message, names)
    return kind(message, operation="query", subject=shorten(text), hint=hint)


def _refused(table: str, why: str) -> tuple[type[ServiceDown], str, str]:
    """Return what trouble with a file of `table` Arrow's words `why` tell of, and what to do."""
    message = f"a file of {table} cannot be read: {why}"
    if not _MISSING.search(why):
        if "AWS Error" in why:  # as Arrow calls whatever speaks S3
            said = f"MinIO does not give the tables' files: {why.rpartition('AWS Error ')[2]}"
            return (
                ServiceDown,
                said,
                "start MinIO (`make up`) or correct MINIO_ENDPOINT, then ask again",
            )
        if "[errno " in why:  # the system refused: what is stored may be sound
            return ServiceDown, message, "check the folder's rights and its disk (gamelake doctor)"
    return Damaged, message, Damaged.next_step


def _suggested(message: str, names: Collection[str]) -> tuple[str, str]:
    """Return the message without DuckDB's suggestion, and the hint that is made of it."""
    found = _MEANT.search(message)
    message = _MEANT.sub("", message)
    meant = (found[1] or found[2]).replace('"', "") if found else ""
    # For a table DuckDB may suggest one of its own, such as pg_enum.
    if meant and ("Table with name" not in message or meant.rpartition(".")[2] in names):
        return message, f"did you mean {meant}?"
    return message, "gamelake sql, then .tables and .schema NAME show what there is"
