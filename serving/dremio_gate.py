"""Which SQL text may go to Dremio: one statement, and only one that reads.

DuckDB's parser, which guards the other engine, does not know `AT BRANCH`. So this gate looks at
the first word and for a second statement. That is enough: in Dremio's grammar what writes begins
with its verb, and a statement cannot hide behind WITH, EXPLAIN (which never runs) or brackets.
"""

import re

from serving.gate import shorten
from utils.errors import UsageError

READS = ("SELECT", "WITH", "VALUES", "EXPLAIN", "DESCRIBE", "DESC", "SHOW")
# As Calcite reads them: a line ends at CR as well as at LF, comments do not nest, and an open
# comment or text runs to the end.
_SKIP = r"--[^\r\n]*|//[^\r\n]*|/\*.*?(?:\*/|\Z)"
_TOKEN = re.compile(
    rf"(?P<skip>\s+|{_SKIP})|(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")"
    r"|(?P<word>\w+)|(?P<other>.)",
    re.DOTALL,
)


def admit(text: str) -> str:
    """Return the one reading statement in `text`, without its closing semicolon.

    Raises UsageError when it is empty, holds several statements or would write.
    """
    tokens = [found for found in _TOKEN.finditer(text) if found.lastgroup != "skip"]
    while tokens and tokens[-1][0] == ";":
        text = text[: tokens.pop().start()]
    if any(token[0] == ";" for token in tokens):
        raise _refused("expected one statement, got several", text)
    words = [token[0].upper() for token in tokens if token[0] != "("]
    if not words:
        raise _refused("expected one statement, got none", text)
    if words[0] not in READS:
        raise _refused(f"{shorten(words[0], 20)} is not allowed: the lake is read-only here", text)
    return text.strip()


def _refused(message: str, text: str) -> UsageError:
    reads = f"{', '.join(READS[:-1])} or {READS[-1]}"
    return UsageError(message, operation="query", subject=shorten(text), hint=f"give one {reads}")
