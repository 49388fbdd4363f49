"""Files of the lake where DuckDB can read them: where they lie, or downloads while a build runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.iceberg_warehouse import TableFiles
from storage.object_store import ObjectStore


@dataclass(frozen=True)
class LocalCopies:
    """Raw and table files as local paths; what is not local is downloaded below `folder`."""

    raw_store: ObjectStore
    table_files: TableFiles
    folder: Path

    def raw(self, keys: Sequence[str]) -> list[str]:
        """Return a local path for each raw object."""
        return [str(path) for path in self.raw_store.fetch(keys, self.folder / "raw")]

    def tables(self, locations: Sequence[str]) -> list[str]:
        """Return a local path for each file of a table."""
        return self.table_files.fetch(locations, self.folder / "tables")
