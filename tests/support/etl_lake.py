"""A small embedded lake for tests of the etl: literal raw in, published tables out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from raw_builder import Row, raw_table

from etl.context import EtlContext
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_schemas import TABLES
from gamelake import context
from storage.database.session import Database
from storage.database.writer import hold_writer
from storage.layout import BROWSE, MAIN, SOURCE_RAWG, LakePaths
from storage.object_store import LocalFolderStore
from storage.raw_parts import Manifest, RawPart, next_part_number, write_part
from utils.clock import SystemClock, iso
from utils.config import Settings
from utils.progress import SilentProgress

LINEAGE = ("run_id", "observed_at")


@dataclass
class EtlLake:
    """An open lake; `ctx` holds its writer lease."""

    ctx: EtlContext

    def add(self, run_id: str, entity: str, rows: Sequence[Row]) -> RawPart:
        """Store the rows as the next part of an ingest run."""
        store = self.ctx.raw
        stamped = [{**row, "_run_id": run_id} for row in rows]
        table = raw_table(entity, stamped)
        number = next_part_number(store, SOURCE_RAWG, entity, run_id)
        return write_part(store, table, manifest(table, entity, run_id, number))

    def rows(self, table: str, ref: str = MAIN) -> list[dict[str, Any]]:
        """Return a published table's rows by business key."""
        files = [file.path for file in self.ctx.catalog.pin(ref).tables[table].data_files]
        if not files:
            return []
        with duckdb.connect() as connection:
            found = connection.read_parquet(files).order(", ".join(TABLES[table].key))
            return list(found.to_arrow_table().to_pylist())

    def star(self, ref: str = MAIN) -> dict[str, list[dict[str, Any]]]:
        """Return every published table."""
        return {name: self.rows(name, ref) for name in self.ctx.catalog.pin(ref).tables}

    def snapshots(self) -> dict[str, int]:
        """Return the snapshot id of every published table."""
        return {n: t.snapshot_id for n, t in self.ctx.catalog.pin(MAIN).tables.items()}


def manifest(table: pa.Table, entity: str, run_id: str, number: int) -> Manifest:
    """Return a manifest that accounts for the rows of `table` as new."""
    times = sorted(iso(at) for at in table["_fetched_at"].to_pylist()) or [""]
    return Manifest(
        source=SOURCE_RAWG,
        entity=entity,
        run_id=run_id,
        number=number,
        listing=BROWSE,
        rows=table.num_rows,
        new=table.num_rows,
        changed=0,
        enriched=0,
        unchanged=0,
        quarantined=0,
        pages=(),
        spool_segment="",
        first_fetched_at=times[0],
        last_fetched_at=times[-1],
        sha256="",
        bytes=0,
    )


@contextmanager
def open_lake(home: Path) -> Iterator[EtlLake]:
    """Open (or create) the lake at `home` for writing."""
    paths = LakePaths(home)
    catalog = EmbeddedCatalog(paths)
    try:
        with Database.open(f"sqlite:///{paths.store}") as database, hold_writer(database) as lease:
            yield EtlLake(
                EtlContext(
                    raw=LocalFolderStore(paths.raw),
                    database=database,
                    catalog=catalog,
                    scratch=home / "tmp",
                    progress=SilentProgress(),
                    clock=SystemClock(),
                    lease=lease,
                )
            )
    finally:
        catalog.close()


@contextmanager
def open_lake_of(settings: Settings) -> Iterator[EtlLake]:
    """Open the lake of these settings, of either profile, for writing."""
    with (
        context.open_lake(settings, create=True) as lake,
        hold_writer(lake.database) as lease,
    ):
        yield EtlLake(
            EtlContext(
                raw=lake.raw,
                database=lake.database,
                catalog=lake.catalog,
                scratch=lake.paths.scratch,
                progress=SilentProgress(),
                clock=SystemClock(),
                lease=lease,
            )
        )


def without(rows: Mapping[str, list[dict[str, Any]]], *columns: str) -> dict[str, list[Any]]:
    """Return the star without some columns, such as lineage."""
    return {
        name: [{k: v for k, v in row.items() if k not in columns} for row in table]
        for name, table in rows.items()
    }
