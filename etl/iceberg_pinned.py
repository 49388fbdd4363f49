"""What readers get: the tables of one commit, loaded from files that never change."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.exceptions import ValidationError
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, ManifestFile
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import StaticTable
from pyiceberg.table.snapshots import Snapshot

from etl.iceberg_contract import DataFileInfo, PinnedTable
from etl.iceberg_record import PublishRecord
from utils.errors import Damaged, GamelakeError, ServiceDown

# What pyiceberg or a store raises for a metadata or manifest file that is missing, cut short or
# garbled.
_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    zlib.error,
    ValidationError,
    GamelakeError,
)


class IcebergPinnedTable:
    """A table read from one metadata file through `io`."""

    def __init__(self, name: str, metadata_location: str, io: FileIO) -> None:
        self.name = name
        self.metadata_location = metadata_location
        self._io = io

    @property
    def snapshot_id(self) -> int:
        """Id of the current snapshot."""
        return self._snapshot.snapshot_id

    @property
    def properties(self) -> Mapping[str, str]:
        """Summary of the current snapshot."""
        summary = self._snapshot.summary
        return dict(summary.additional_properties) if summary else {}

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(file.rows for file in self.data_files)

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns in order, with docs as field metadata."""
        return schema_to_pyarrow(self._table.schema(), include_field_ids=False)

    @cached_property
    def data_files(self) -> tuple[DataFileInfo, ...]:
        """Parquet files of the snapshot; raises GamelakeError if it has delete files."""
        return tuple(
            DataFileInfo(file.file_path, file.record_count, file.file_size_in_bytes)
            for file in self._data_files()
        )

    def files(self) -> dict[str, int | None]:
        """Every file that the current snapshot needs, with its recorded size if there is one."""
        found: dict[str, int | None] = {self.metadata_location: None}
        if self._table.current_snapshot() is None:
            return found  # created on a branch by a run that died before it wrote
        found[self._snapshot.manifest_list] = None
        found.update((m.manifest_path, m.manifest_length) for m in self._manifests)
        found.update((file.path, file.bytes) for file in self.data_files)
        return found

    @cached_property
    def _table(self) -> StaticTable:
        with self._reading():
            return StaticTable(
                identifier=("static-table", self.metadata_location),
                metadata=FromInputFile.table_metadata(self._io.new_input(self.metadata_location)),
                metadata_location=self.metadata_location,
                io=self._io,
                catalog=NoopCatalog("static-table"),
            )

    @cached_property
    def _snapshot(self) -> Snapshot:
        snapshot = self._table.current_snapshot()
        if snapshot is None:
            raise self._broken("it has no snapshot")
        return snapshot

    @cached_property
    def _manifests(self) -> list[ManifestFile]:
        with self._reading():
            return self._snapshot.manifests(self._table.io)

    def _data_files(self) -> Iterator[DataFile]:
        for manifest in self._manifests:
            with self._reading():
                entries = manifest.fetch_manifest_entry(self._table.io, discard_deleted=True)
            for entry in entries:
                if entry.data_file.content != DataFileContent.DATA:
                    raise self._broken("it has delete files, so its parquet files hold dead rows")
                yield entry.data_file

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (ServiceDown, PermissionError):
            raise
        except _UNREADABLE as error:
            raise self._broken(str(error) or type(error).__name__) from error

    def _broken(self, why: str) -> Damaged:
        return Damaged(
            f"table {self.name} cannot be read by its files: {why}",
            operation="read table",
            subject=self.metadata_location,
            hint="its files are lost or damaged: `gamelake verify`, then docs/runbook.md",
        )


@dataclass(frozen=True)
class PinnedCommit:
    """All tables of one commit; equal `head`, equal content."""

    head: str
    tables: Mapping[str, PinnedTable]
    record: PublishRecord | None
