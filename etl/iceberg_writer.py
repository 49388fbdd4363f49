"""Writes tables on a branch: one snapshot a table and run, however often it is asked.

`replace` takes any stream of Arrow batches; `replace_by` lets an engine write the files itself,
which is the faster way for DuckDB (its COPY encodes on all cores).
"""

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, RESTError
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.manifest import DataFile, ManifestFile
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import ExpireSnapshots, _OverwriteFiles, _SnapshotProducer
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from etl.iceberg_contract import LakeCatalog
from etl.iceberg_evolution import evolve
from etl.iceberg_files import FileShape, Target, describe, write_stream
from etl.iceberg_record import RECORD_PROPERTY, RUN_PROPERTY, PublishRecord
from etl.iceberg_schemas import TABLES, StarTable
from etl.iceberg_types import TABLE_PROPERTIES, iceberg_schema, sort_order
from etl.iceberg_warehouse import TableFiles
from storage.layout import NAMESPACE
from utils.errors import ServiceDown
from utils.seams import operation

SNAPSHOTS_KEPT = 5

# After these nobody knows whether the commit landed.
_LOST_ANSWERS = (OSError, SQLAlchemyError, RESTError, CommitFailedException, ServiceDown)

T = TypeVar("T")
Producer = Callable[[StarTable, Table], list[DataFile]]


@dataclass(frozen=True)
class WriteResult:
    """What is on the branch now: rows and files of the whole table, and its snapshot."""

    rows: int
    files: int
    snapshot_id: int


class BranchWriter:
    """Writes on one branch of `catalog`; usable from several threads, a table in each."""

    def __init__(self, catalog: LakeCatalog, branch: str) -> None:
        self._tables: Catalog = catalog.branch_tables(branch)
        self._files = catalog.files

    def replace(
        self, table_name: str, batches: pa.RecordBatchReader, *, run_id: str
    ) -> WriteResult:
        """Make the batches the whole content of the table, creating it when missing.

        Rows should come in the table's sort order. Memory: one row group. If this branch's
        table was last written by `run_id` already, nothing is read or written.
        """
        return self._write(table_name, _streamed(batches), run_id=run_id, gone=None)

    def replace_by(
        self,
        table_name: str,
        write: Callable[[Target], object],
        *,
        run_id: str,
        files: Collection[str] | None = None,
    ) -> WriteResult:
        """Put the parquet files that `write` makes in `Target.path` in the place of `files`.

        `files` are locations; None means all that the table has, and with none of them the new
        files are added. For DuckDB `write` is
        `lambda target: connection.execute(target.copy_statement(select))`.
        """
        producer = _engine_written(write, self._files)
        return self._write(table_name, producer, run_id=run_id, gone=files)

    def replace_elsewhere(
        self, table_name: str, commit: Callable[[], object], *, run_id: str
    ) -> WriteResult:
        """Let another engine write and commit the whole content, as `run_id`'s one snapshot.

        `commit` is called again when a failure leaves no such snapshot.
        """
        declared = TABLES[table_name]
        with _translated(table_name):
            table = _twice(lambda: self._open(declared))
            if _run_of(table) != run_id:
                table = self._commit_elsewhere(declared, commit, run_id)
            return _result(table)

    def write_record(self, record: PublishRecord) -> None:
        """Put the publish record on the branch; the merge publishes it with the tables."""
        with _translated(RECORD_PROPERTY):
            _twice(lambda: self._write_property(RECORD_PROPERTY, record.to_json()))

    def _write_property(self, name: str, value: str) -> None:
        with operation("catalog.commit"):
            self._tables.update_namespace_properties(NAMESPACE, updates={name: value})

    def _write(
        self, name: str, produce: Producer, *, run_id: str, gone: Collection[str] | None
    ) -> WriteResult:
        declared = TABLES[name]
        with _translated(name):
            table = _twice(lambda: self._open(declared))
            if _run_of(table) != run_id:
                files = produce(declared, table)
                table = self._commit(table, files, run_id=run_id, gone=gone)
            return _result(table)

    def _open(self, declared: StarTable) -> Table:
        """Load the table with the declared columns, or create it empty."""
        try:
            table = self._tables.load_table((NAMESPACE, declared.name))
        except NoSuchTableError:
            with operation("catalog.commit"):
                return self._tables.create_table_if_not_exists(
                    (NAMESPACE, declared.name),
                    schema=iceberg_schema(declared),
                    sort_order=sort_order(declared),
                    properties=TABLE_PROPERTIES,
                )
        evolve(table, declared)
        return table

    def _commit_elsewhere(
        self, declared: StarTable, commit: Callable[[], object], run_id: str
    ) -> Table:
        def committed() -> Table:
            with operation("warehouse.write"), operation("catalog.commit"):
                commit()
            return self._open(declared)

        try:
            return committed()
        except _LOST_ANSWERS:
            table = self._open(declared)
            return table if _run_of(table) == run_id else committed()

    def _commit(
        self, table: Table, files: list[DataFile], *, run_id: str, gone: Collection[str] | None
    ) -> Table:
        """Commit the files as one snapshot; after a lost answer look for it before trying again.

        Nothing is deleted on failure: what looks like an orphan may be live.
        """
        try:
            return _snapshot(table, files, run_id=run_id, gone=gone)
        except _LOST_ANSWERS:
            table = self._tables.load_table((NAMESPACE, table.name()[-1]))
            if _run_of(table) == run_id:
                return table
            return _snapshot(table, files, run_id=run_id, gone=gone)


def _twice(ask: Callable[[], T]) -> T:
    """Ask again when the answer is lost; only for what may be done twice."""
    try:
        return ask()
    except _LOST_ANSWERS:
        return ask()


@contextmanager
def _translated(subject: str) -> Iterator[None]:
    """Say in our words that the catalog's database or server failed."""
    try:
        yield
    except (SQLAlchemyError, RESTError, CommitFailedException) as error:
        raise ServiceDown(
            f"the catalog does not answer: {error}",
            operation="write table",
            subject=subject,
            hint="nothing is published; run `gamelake etl` again when the catalog answers",
        ) from error


def _streamed(batches: pa.RecordBatchReader) -> Producer:
    def produce(declared: StarTable, table: Table) -> list[DataFile]:
        shape = FileShape(declared, table.schema())
        return write_stream(shape, batches, table.io, _new_paths(table))

    return produce


def _engine_written(write: Callable[[Target], object], files: TableFiles) -> Producer:
    def produce(declared: StarTable, table: Table) -> list[DataFile]:
        location = table.location_provider().new_data_location(str(uuid.uuid4()))
        shape = FileShape(declared, table.schema())
        with operation("warehouse.write"), files.new_folder(location) as folder:
            write(Target(str(folder), shape.copy_options()))
            found = [
                describe(shape, path, f"{location}/{path.name}", path.stat().st_size)
                for path in sorted(folder.iterdir())
            ]
        return [file for file in found if file.record_count]

    return produce


def _new_paths(table: Table) -> Iterator[str]:
    while True:
        yield table.location_provider().new_data_location(f"{uuid.uuid4()}.parquet")


class _Replace(_OverwriteFiles):
    """An overwrite that carries no dead manifest along.

    The library's own keeps manifests whose every entry is deleted, one more each time, and
    reads all of them at each commit.
    """

    @override
    def _existing_manifests(self) -> list[ManifestFile]:
        kept = super()._existing_manifests()
        return [file for file in kept if file.has_added_files() or file.has_existing_files()]


def _snapshot(
    table: Table, files: list[DataFile], *, run_id: str, gone: Collection[str] | None
) -> Table:
    """Commit one snapshot that adds `files` and drops those at `gone` (None: all there are)."""
    transaction = table.transaction()
    with _producer(table, transaction, run_id, gone=gone) as producer:
        for file in files:
            producer.append_data_file(file)
    _shorten(transaction)
    return transaction.commit_transaction()


def _producer(
    table: Table, transaction: Transaction, run_id: str, *, gone: Collection[str] | None
) -> _SnapshotProducer[Any]:
    summary = {RUN_PROPERTY: run_id}
    if gone is not None and not gone:
        return transaction.update_snapshot(snapshot_properties=summary).merge_append()
    replace = _Replace(
        operation=Operation.OVERWRITE if table.current_snapshot() else Operation.APPEND,
        transaction=transaction,
        io=table.io,
        snapshot_properties=summary,
    )
    replace.delete_by_predicate(AlwaysTrue())
    for task in table.scan().plan_files():
        if gone is None or task.file.file_path in gone:
            replace.delete_data_file(task.file)
    return replace


def _shorten(transaction: Transaction) -> None:
    """Name only the newest snapshots in the metadata, or each commit costs more than the last.

    Nothing is lost: a published run has a tag, whose own metadata file names its snapshot.
    """
    snapshots = transaction.table_metadata.snapshots
    old = sorted(snapshots, key=lambda snapshot: snapshot.sequence_number or 0)[:-SNAPSHOTS_KEPT]
    if old:
        ExpireSnapshots(transaction).by_ids([snapshot.snapshot_id for snapshot in old]).commit()


def _run_of(table: Table) -> str | None:
    """Return the run that wrote the current snapshot, None for an empty table."""
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.summary is None:
        return None
    return snapshot.summary.additional_properties.get(RUN_PROPERTY)


def _result(table: Table) -> WriteResult:
    snapshot = table.current_snapshot()
    summary = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
    return WriteResult(
        rows=int(summary.get("total-records", "0")),
        files=int(summary.get("total-data-files", "0")),
        snapshot_id=snapshot.snapshot_id if snapshot else -1,
    )
