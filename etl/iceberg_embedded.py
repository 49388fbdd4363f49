"""The catalog without a server: pyiceberg's SqlCatalog in SQLite, with branches and tags.

A branch is pyiceberg's own rows under another `catalog_name`; other tools see main as the
catalog named `main`.
"""

from collections.abc import Callable
from typing import TypeVar

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.update import TableRequirement, TableUpdate
from sqlalchemy import Engine, QueuePool, create_engine
from typing_extensions import override

from etl.iceberg_contract import Ref
from etl.iceberg_io import FILE_IO
from etl.iceberg_pinned import IcebergPinnedTable, PinnedCommit
from etl.iceberg_pointers import Entry, PointerStore, connect
from etl.iceberg_record import RECORD_PROPERTY, PublishRecord
from etl.iceberg_warehouse import LocalFiles, TableFiles
from storage.layout import MAIN, LakePaths
from utils.errors import Conflict, ServiceDown, UsageError
from utils.seams import operation

T = TypeVar("T")
_FILE_PROPERTIES = {"py-io-impl": FILE_IO}


class _BranchTables(SqlCatalog):
    """pyiceberg's catalog of one branch, on connections with our durability."""

    def __init__(self, name: str, engine: Engine, warehouse: str) -> None:
        # The parent insists on opening a database of its own: an empty one in memory.
        super().__init__(name, uri="sqlite://", warehouse=warehouse, **_FILE_PROPERTIES)
        self.engine.dispose()
        self.engine = engine

    @override
    def commit_table(
        self,
        table: Table,
        requirements: tuple[TableRequirement, ...],
        updates: tuple[TableUpdate, ...],
    ) -> CommitTableResponse:
        with operation("catalog.commit"):
            return super().commit_table(table, requirements, updates)

    @override
    def close(self) -> None:
        """Leave the shared connections open; EmbeddedCatalog closes them."""


class EmbeddedCatalog:
    """`LakeCatalog` on one SQLite file and one warehouse folder."""

    def __init__(self, paths: LakePaths) -> None:
        self._warehouse = str(paths.warehouse.absolute())
        self.files: TableFiles = LocalFiles(paths.warehouse)
        self._store = PointerStore(paths.catalog.absolute())
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: connect(paths.catalog.absolute()),
            poolclass=QueuePool,
        )

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        self._store.close()

    def create_branch(self, name: str, from_ref: str = MAIN) -> Ref:
        """See LakeCatalog."""
        return _insist(lambda: self._create("branch", name, from_ref, "catalog.branch"))

    def tag(self, name: str, ref: str) -> Ref:
        """See LakeCatalog."""
        return _insist(lambda: self._create("tag", name, ref, "catalog.commit"))

    def drop_branch(self, name: str) -> None:
        """See LakeCatalog."""
        _insist(lambda: self._drop(name))

    def references(self) -> dict[str, Ref]:
        """See LakeCatalog."""
        with self._store.reading():
            return {entry.name: self._store.ref(entry.name) for entry in self._store.entries()}

    def assign(self, name: str, to_ref: str, *, fence: int | None = None) -> Ref:
        """See LakeCatalog."""
        return _insist(lambda: self._assign(name, to_ref, fence))

    def merge(self, branch: str, *, onto: str = MAIN, expected_head: str, fence: int) -> Ref:
        """See LakeCatalog."""
        return _insist(lambda: self._merge(branch, onto, expected_head, fence=fence))

    def fence(self) -> int:
        """See LakeCatalog."""
        with self._store.reading():
            return self._store.get(MAIN).fence

    def pin(self, ref: str) -> PinnedCommit:
        """See LakeCatalog."""
        with self._store.reading():
            self._store.get(ref)
            pointers = self._store.pointers(ref)
        record = pointers.properties.get(RECORD_PROPERTY)
        return PinnedCommit(
            head=pointers.head,
            tables={
                name: IcebergPinnedTable(name, location, self.files.io)
                for name, location in sorted(pointers.tables.items())
            },
            record=PublishRecord.from_json(record) if record else None,
        )

    def branch_tables(self, name: str) -> SqlCatalog:
        """See LakeCatalog."""
        with self._store.reading():
            self._writable(name)
        if name == MAIN:
            raise _refused(f"{MAIN} moves only by merge", "open branch", name)
        return _BranchTables(name, self._engine, self._warehouse)

    def _create(self, kind: str, name: str, from_ref: str, seam: str) -> Ref:
        with self._store.writing(seam):
            self._store.get(from_ref)
            found = self._store.find(name)
            if found is None:
                return self._store.point(name, kind, from_ref)
            same = found.kind == kind and self._head(name) == self._head(from_ref)
            if same:
                return self._store.ref(name)
        raise Conflict(
            f"{found.kind} {name!r} exists and holds something else than {from_ref!r}",
            operation=f"create {kind}",
            subject=name,
            hint="drop it first, or choose another name",
        )

    def _drop(self, name: str) -> None:
        with self._store.writing("catalog.branch"):
            if self._store.find(name) is None:
                return
            self._writable(name)
            if name == MAIN:
                raise _refused(f"{MAIN} cannot be dropped", "drop branch", name)
            self._store.forget(name)

    def _assign(self, name: str, to_ref: str, fence: int | None) -> Ref:
        with self._store.writing("catalog.commit"):
            self._store.get(to_ref)
            target = self._writable(name)
            if fence is not None:
                _check_fence(target, fence)
            return self._store.point(name, "branch", to_ref, fence=fence or 0)

    def _merge(self, branch: str, onto: str, expected_head: str, *, fence: int) -> Ref:
        with self._store.writing("catalog.commit"):
            source, target = self._store.get(branch), self._writable(onto)
            if self._head(onto) == self._head(branch):
                return self._store.ref(onto)  # it has happened; the answer was lost
            _check_fence(target, fence)
            if not self._head(onto) == expected_head == source.base:
                raise Conflict(
                    f"{onto} has moved since {branch} started from it",
                    operation="merge",
                    subject=branch,
                    hint="run `gamelake etl` again: it starts from what is published now",
                )
            merged = self._store.point(onto, "branch", branch, fence=fence)
            self._store.rebase(branch, merged.head)
            return merged

    def _head(self, name: str) -> str:
        return self._store.pointers(name).head

    def _writable(self, name: str) -> Entry:
        entry = self._store.get(name)
        if entry.kind == "tag":
            raise _refused(f"{name} is a tag, and tags never change", "write reference", name)
        return entry


def _check_fence(target: Entry, fence: int) -> None:
    if target.fence > fence:
        raise Conflict(
            f"a newer writer has published: lease {target.fence}, ours is {fence}",
            operation="publish",
            subject=target.name,
            hint="this run was taken for dead and replaced; look at `gamelake runs`",
        )


def _refused(why: str, what: str, name: str) -> UsageError:
    return UsageError(why, operation=what, subject=name, hint="write on a branch of your own")


def _insist(ask: Callable[[], T]) -> T:
    """Ask twice when the answer is lost: every question first looks whether it was granted."""
    try:
        return ask()
    except (OSError, ServiceDown):
        return ask()
