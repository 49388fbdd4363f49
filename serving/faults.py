"""Turns the query engine's errors into ours: its own words, and what to do next."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from serving.gate import shorten
from utils.errors import GamelakeError, ServiceDown, UsageError

_MEANT = re.compile(r'\n?(?:Did you mean "([^"]+)"\??|Candidate bindings: ([^\n]+))')
_MISSING = re.compile("No such file|FileNotFoundError|AWS Error (?:NO_SUCH_KEY|RESOURCE_NOT_FOUND)")
_HIDDEN = re.compile(r"\btemp\.main\.pinned_|\b(?:main\.)?pinned_")


@contextmanager
def explained(text: str) -> Iterator[None]:
    """Raise UsageError for what is wrong with the query `text`, GamelakeError for the lake."""
    try:
        yield
    except duckdb.Error as error:
        raise _translated(error, text) from None


def _translated(error: duckdb.Error, text: str) -> GamelakeError:
    message = _HIDDEN.sub("", str(error)).strip()
    kind: type[GamelakeError] = UsageError
    if isinstance(error, duckdb.OutOfMemoryException):
        message = message.splitlines()[0]
        hint = "aggregate, filter or LIMIT; joining two bridges multiplies rows"
    elif isinstance(error, duckdb.PermissionException):
        hint = "queries see only the tables of the lake, no files; .tables lists them"
    elif _MISSING.search(message):
        kind, hint = GamelakeError, "a data file is missing: run gamelake verify"
    elif "AWS Error" in message:  # as Arrow calls whatever speaks S3
        kind, hint = (
            ServiceDown,
            "start MinIO (`make up`) or correct MINIO_ENDPOINT, then ask again",
        )
        message = f"MinIO does not give the tables' files: {message.rpartition('AWS Error ')[2]}"
    elif found := _MEANT.search(message):
        message = _MEANT.sub("", message)
        hint = f"did you mean {(found[1] or found[2]).replace(chr(34), '')}?"
    else:
        hint = "gamelake sql, then .tables and .schema NAME show what there is"
    return kind(message, operation="query", subject=shorten(text), hint=hint)
