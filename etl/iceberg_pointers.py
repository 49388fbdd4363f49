"""The embedded catalog's SQLite file: which metadata each table has on each branch and tag.

A reference is the rows of pyiceberg's two `SqlCatalog` tables under one `catalog_name`, plus a
row in `lake_references`. Moving a reference replaces all its rows in one transaction.

The file is in WAL mode, so readers never wait for a publish nor hold one up, and synchronous is
FULL, so a commit that was acknowledged survives a power cut.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyiceberg.catalog.sql import IcebergNamespaceProperties, IcebergTables
from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from etl.iceberg_contract import Ref
from etl.iceberg_io import sync_names
from storage.layout import MAIN, NAMESPACE
from utils.errors import Damaged, GamelakeError, Locked, ServiceDown, UsageError
from utils.seams import operation

BUSY_TIMEOUT_S = 30.0
FORMAT = 1  # of this file; a newer one is refused before anything is read or written

_REFERENCES = """
CREATE TABLE IF NOT EXISTS lake_references (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('branch', 'tag')),
    base TEXT NOT NULL,  -- head that the reference started from
    fence INTEGER NOT NULL  -- highest lease epoch that ever moved it; never goes back
)
"""
_COPIED: dict[str, tuple[str, ...]] = {
    "iceberg_tables": (
        "table_namespace",
        "table_name",
        "metadata_location",
        "previous_metadata_location",
        "iceberg_type",
    ),
    "iceberg_namespace_properties": ("namespace", "property_key", "property_value"),
}


@dataclass(frozen=True)
class Pointers:
    """What a reference names: metadata location by table, and the namespace's properties."""

    tables: dict[str, str]
    properties: dict[str, str]

    @property
    def head(self) -> str:
        """Content hash: equal for references that name the same tables and record."""
        lines = [*sorted(self.tables.items()), *sorted(self.properties.items())]
        text = "\n".join(f"{name}={value}" for name, value in lines)
        return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Entry:
    """One row of `lake_references`."""

    name: str
    kind: Literal["branch", "tag"]
    base: str
    fence: int


def connect(path: Path, isolation: Literal["DEFERRED"] | None = "DEFERRED") -> sqlite3.Connection:
    """Open the file with our durability; `isolation` None leaves BEGIN to the caller."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=isolation, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class PointerStore:
    """Reads and moves references; usable from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with _translated("open catalog", path):
            self._connection = connect(path, isolation=None)
        try:
            self._initialise()
        except GamelakeError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read several things as of one moment."""
        with self._transaction("BEGIN", "read catalog"):
            yield

    @contextmanager
    def writing(self, seam: str) -> Iterator[None]:
        """Change several things at once or not at all; `seam` counts the commit."""
        with self._transaction("BEGIN IMMEDIATE", "write catalog", seam):
            yield

    def entries(self) -> list[Entry]:
        """Return all references."""
        rows = self._connection.execute(
            "SELECT name, kind, base, fence FROM lake_references ORDER BY name"
        )
        return [Entry(*row) for row in rows]

    def find(self, name: str) -> Entry | None:
        """Return the reference `name`, or None."""
        row = self._connection.execute(
            "SELECT name, kind, base, fence FROM lake_references WHERE name = ?", (name,)
        ).fetchone()
        return Entry(*row) if row else None

    def get(self, name: str) -> Entry:
        """Return the reference `name`; raises UsageError naming those that exist."""
        if found := self.find(name):
            return found
        known = ", ".join(entry.name for entry in self.entries())
        raise UsageError(
            f"there is no branch or tag {name!r}",
            operation="look up reference",
            subject=name,
            hint=f"known: {known}",
        )

    def pointers(self, name: str) -> Pointers:
        """Return what the reference `name` points at."""
        tables = self._connection.execute(
            "SELECT table_name, metadata_location FROM iceberg_tables "
            "WHERE catalog_name = ? AND table_namespace = ?",
            (name, NAMESPACE),
        )
        properties = self._connection.execute(
            "SELECT property_key, property_value FROM iceberg_namespace_properties "
            "WHERE catalog_name = ? AND namespace = ?",
            (name, NAMESPACE),
        )
        return Pointers(dict(tables.fetchall()), dict(properties.fetchall()))

    def ref(self, name: str) -> Ref:
        """Return the reference as callers see it."""
        return Ref(name, self.get(name).kind, self.pointers(name).head)

    def point(self, name: str, kind: str, source: str, *, fence: int = 0) -> Ref:
        """Make `name` name exactly what `source` names, creating it if need be."""
        base = self.pointers(source).head
        self._connection.execute(
            "INSERT INTO lake_references VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
            "SET base = excluded.base, fence = max(fence, excluded.fence)",
            (name, kind, base, fence),
        )
        self._clear(name)
        for table, columns in _COPIED.items():
            listed = ", ".join(columns)
            self._connection.execute(
                f"INSERT INTO {table} (catalog_name, {listed}) "
                f"SELECT ?, {listed} FROM {table} WHERE catalog_name = ?",
                (name, source),
            )
        return self.ref(name)

    def rebase(self, name: str, base: str) -> None:
        """Note that branch `name` continues from the commit `base`."""
        self._connection.execute("UPDATE lake_references SET base = ? WHERE name = ?", (base, name))

    def forget(self, name: str) -> None:
        """Remove the reference and its pointers; no file is touched."""
        self._clear(name)
        self._connection.execute("DELETE FROM lake_references WHERE name = ?", (name,))

    def _clear(self, name: str) -> None:
        for table in _COPIED:
            self._connection.execute(f"DELETE FROM {table} WHERE catalog_name = ?", (name,))

    def _initialise(self) -> None:
        """Create what is missing; refuse a file that a newer version wrote."""
        with _translated("open catalog", self._path):
            _use_wal(self._connection)
        with self._transaction("BEGIN", "open catalog"):
            version = _known_format(self._connection, self._path)
        if version == FORMAT:
            return
        with self._transaction("BEGIN IMMEDIATE", "create catalog"):
            for statement in (*_library_tables(), _REFERENCES, f"PRAGMA user_version={FORMAT}"):
                self._connection.execute(statement)
            self._connection.execute(
                "INSERT OR IGNORE INTO lake_references VALUES (?, 'branch', '', 0)", (MAIN,)
            )
            self._connection.execute(
                "INSERT OR IGNORE INTO iceberg_namespace_properties "
                "VALUES (?, ?, 'exists', 'true')",
                (MAIN, NAMESPACE),
            )
        # The folder only: closing the file itself would drop this process's locks on it, and
        # another would take the database for unused (sqlite.org/howtocorrupt.html, 2.2).
        sync_names(self._path.parent)

    @contextmanager
    def _transaction(self, begin: str, what: str, seam: str | None = None) -> Iterator[None]:
        with self._lock, _translated(what, self._path):
            self._connection.execute(begin)
            try:
                yield
                if seam is None:
                    self._connection.execute("COMMIT")
                else:
                    with operation(seam):
                        self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def check_file(path: Path) -> None:
    """Look whether the catalog at `path` can be used; it is not written to.

    Raises Damaged, ServiceDown, or UsageError when a newer version wrote it.
    """
    # Not mode=ro, which would leave WAL's own files behind; rw makes no file where there is none.
    with (
        _translated("look at the catalog", path),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection,
    ):
        _known_format(connection, path)
        if (said := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise _damaged(said, "look at the catalog", path)


def _known_format(connection: sqlite3.Connection, path: Path) -> int:
    """Return the file's format; raises UsageError for one that a newer version wrote."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > FORMAT:
        raise UsageError(
            f"the catalog has format {version}, this version knows {FORMAT}",
            operation="open catalog",
            subject=str(path),
            hint="upgrade gamelake",
        )
    return version


@contextmanager
def _translated(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _as_ours(error, what, path) from error


def _damaged(why: object, what: str, path: Path) -> Damaged:
    return Damaged(
        f"the catalog is damaged: {why}",
        operation=what,
        subject=str(path),
        hint="move catalog.db* away, then `gamelake etl` (docs/runbook.md)",
    )


def _as_ours(error: sqlite3.Error, what: str, path: Path) -> GamelakeError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what extends it
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return _damaged(error, what, path)
    kind: type[GamelakeError] = ServiceDown
    hint = "is its disk full, or read-only? `gamelake doctor`; the same command continues"
    if code == sqlite3.SQLITE_BUSY:
        kind, hint = Locked, "another gamelake works on it: try again"
    return kind(
        f"the catalog does not answer: {error}", operation=what, subject=str(path), hint=hint
    )


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite does not wait for a lock here, so several openers must."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _library_tables() -> Iterator[str]:
    """Yield the DDL of pyiceberg's own tables."""
    for model in (IcebergTables, IcebergNamespaceProperties):
        table = model.__table__
        if isinstance(table, Table):
            create = CreateTable(table, if_not_exists=True)
            yield str(create.compile(dialect=sqlite.dialect()))
