"""Turns the query engine's errors into ours: its own words, and what to do next."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from serving.gate import shorten
from utils.errors import GamelakeError, UsageError

_MEANT = re.compile(r'\n?(?:Did you mean "([^"]+)"\??|Candidate bindings: ([^\n]+))')
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
    elif "No such file" in message or "FileNotFoundError" in message:
        kind, hint = GamelakeError, "a data file is missing: run gamelake verify"
    elif found := _MEANT.search(message):
        message = _MEANT.sub("", message)
        hint = f"did you mean {(found[1] or found[2]).replace(chr(34), '')}?"
    else:
        hint = "gamelake sql, then .tables and .schema NAME show what there is"
    return kind(message, operation="query", subject=shorten(text), hint=hint)
