"""SQL of the Dremio stand-in: Dremio's rules on the text, then DuckDB for the answer."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

RESERVED = frozenset(
    (Path(__file__).parent / "dremio_reserved_words.txt").read_text(encoding="utf-8").split()
)
_VERSIONS = ("BRANCH", "TAG", "COMMIT", "REF")


class SqlRefusedError(Exception):
    """What Dremio would answer: a validation error."""


def without_versions(sql: str, *, view: bool) -> str:
    """Take `AT BRANCH x` out; in a view of a space every Nessie table has to have one.

    Only branch main exists here. Raises SqlRefusedError as Dremio does.
    """
    try:
        tokens = sqlglot.tokenize(sql, read="dremio")
    except SqlglotError as error:
        raise SqlRefusedError(f"Failure parsing the query: {error}") from None
    words = [token.text for token in tokens]
    cuts = []
    for at, token in enumerate(tokens):
        if token.text != "nessie" or words[at + 1 : at + 2] != ["."]:
            continue
        end = at + 5  # nessie . games . table
        rest = [word.upper() for word in words[end : end + 2]]
        if rest[:1] == ["AT"] and rest[1:] and rest[1] in _VERSIONS:
            if rest[1] != "BRANCH" or words[end + 2] != "main":
                raise SqlRefusedError(f"Requested {' '.join(words[end + 1 : end + 3])} not found")
            cuts.append((tokens[end].start, tokens[end + 2].end + 1))
        elif view:
            raise SqlRefusedError(
                "Validation of view sql failed. Version context for entity "
                f"{''.join(words[at:end])} must be specified using AT SQL syntax"
            )
    for start, stop in reversed(cuts):
        sql = sql[:start] + sql[stop:]
    return sql


def check_identifiers(sql: str) -> None:
    """Raise SqlRefusedError for text that does not parse and for reserved words without quotes."""
    try:
        (parsed,) = sqlglot.parse(sql, read="dremio")
    except (SqlglotError, ValueError) as error:
        raise SqlRefusedError(f"Failure parsing the query: {error}") from None
    if parsed is None:
        raise SqlRefusedError("Failure parsing the query: nothing there")
    for identifier in parsed.find_all(exp.Identifier):
        if not identifier.quoted and identifier.name.upper() in RESERVED:
            raise SqlRefusedError(f"Failure parsing the query: Encountered {identifier.name!r}")


class StandinSql:
    """Tables of `nessie.games` and views of spaces, in one DuckDB."""

    def __init__(self) -> None:
        self._database = duckdb.connect()
        self._database.execute("ATTACH ':memory:' AS nessie")
        self._database.execute("SET TimeZone = 'UTC'")
        self._lock = threading.Lock()
        self.tables: set[str] = set()

    def publish(self, tables: dict[str, pa.Table]) -> None:
        """Make these the tables of branch main."""
        self._database.execute("CREATE SCHEMA IF NOT EXISTS nessie.games")
        for name, table in tables.items():
            self._database.register("arriving", table)
            self._database.execute(
                f'CREATE OR REPLACE TABLE nessie.games."{name}" AS FROM arriving'
            )
            self._database.unregister("arriving")
        self.tables |= tables.keys()

    def make_space(self, name: str) -> None:
        """Make room for the views of a space."""
        self._database.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"')

    def save_view(self, path: list[str], sql: str) -> None:
        """Check the text as Dremio does when a view is saved in a space, and keep it."""
        plain = without_versions(sql, view=True)
        check_identifiers(plain)
        where = ".".join(f'"{part}"' for part in path)
        with self._cursor("") as cursor:
            cursor.execute(f"CREATE OR REPLACE VIEW {where} AS {plain}")

    def run(self, sql: str, context: str) -> pa.Table:
        """Answer an ad-hoc query; bare names are looked up in `context` alone."""
        plain = without_versions(sql, view=False)
        check_identifiers(plain)
        with self._cursor(context) as cursor:
            return cursor.sql(plain).to_arrow_table()

    @contextmanager
    def _cursor(self, context: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock, self._database.cursor() as cursor:
            try:
                cursor.execute(f"SET search_path = '{context or 'main'}'")
                yield cursor
            except duckdb.Error as error:
                raise SqlRefusedError(re.sub(r"\s+", " ", f"VALIDATION ERROR: {error}")) from None

    def close(self) -> None:
        """Close the database."""
        self._database.close()
