"""Column types that mean the same on SQLite and PostgreSQL."""

import json

from sqlalchemy import BigInteger, Dialect, Integer, String
from sqlalchemy.types import TypeDecorator

# Text sorts by its bytes, as on SQLite and in Python; a server's own language would differ.
TEXT = String().with_variant(String(collation="C"), "postgresql")
# SQLite's integers have 64 bits anyway. Sources may claim to hold 10^18 games.
NUMBER = Integer().with_variant(BigInteger(), "postgresql")

_NUL, _REPLACEMENT = "\x00", "\ufffd"


class Text(TypeDecorator[str]):
    """Text of any origin: PostgreSQL cannot store NUL, so U+FFFD stands for it there."""

    impl = TEXT
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what can be stored."""
        if value is None or dialect.name != "postgresql":
            return value
        return value.replace(_NUL, _REPLACEMENT)


def postgres_json(value: object) -> str:
    r"""Return `value` as JSON that PostgreSQL can take apart: it refuses to read `\u0000`."""
    return json.dumps(value).replace(r"\u0000", r"\ufffd")
