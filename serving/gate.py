"""Which SQL text may reach the engine: exactly one statement, and only one that reads.

The engine behind it has no file access at all, so this gate is the first of two walls; its own
worth is a clear message. `EXPLAIN ANALYZE` runs what it explains, therefore what follows it is
judged too.
"""

import re

import duckdb

from utils.errors import UsageError

_EXPLAIN = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*EXPLAIN\s*(?:ANALYZE\b|\([^)]*\))?", re.I | re.S
)
_READS = "SELECT, WITH, FROM, VALUES, EXPLAIN, DESCRIBE, SUMMARIZE or SHOW"


def admit(text: str) -> str:
    """Return the one reading statement in `text`, without a closing semicolon.

    Raises UsageError when it is empty, does not parse, holds several statements or would write.
    """
    statements = parse(text)
    if len(statements) != 1:
        raise _refused(f"expected one statement, got {len(statements)}", text, f"give one {_READS}")
    statement = statements[0]
    if statement.type == duckdb.StatementType.EXPLAIN:
        admit(_EXPLAIN.sub("", statement.query, count=1))
    elif statement.type != duckdb.StatementType.SELECT:
        raise _refused(f"{_verb(statement)} is not allowed: the lake is read-only here", text)
    return statement.query.strip().rstrip(";")


def parse(text: str) -> list[duckdb.Statement]:
    """Split `text` into statements; raises UsageError with the parser's message."""
    try:
        return duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise _refused(str(error), text, "see .help in `gamelake sql`") from None


def _verb(statement: duckdb.Statement) -> str:
    first = re.sub(r"--[^\n]*\n|/\*.*?\*/", " ", statement.query, flags=re.S).split()
    return first[0].upper() if first else statement.type.name


def _refused(message: str, text: str, hint: str = "") -> UsageError:
    if not hint:
        hint = f"use {_READS}; PIVOT works inside FROM (... PIVOT ... IN (...))"
    return UsageError(message, operation="query", subject=shorten(text), hint=hint)


def shorten(text: str, limit: int = 80) -> str:
    """Return `text` on one line of at most `limit` characters, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
