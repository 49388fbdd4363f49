"""What an etl run is given, what it is asked, and what it decides to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from etl.iceberg_catalog import LakeCatalog, PinnedCatalog
from etl.raw_source import RawSelection
from etl.report import Mode
from storage.database.repositories.leases import Lease
from storage.database.session import Database
from storage.object_store import ObjectStore
from utils.clock import Clock
from utils.progress import ProgressListener


@dataclass(frozen=True)
class EtlContext:
    """The lake and the tools. `scratch` is a local folder for what a run spills or downloads;
    `lease` is the writer lease that the caller holds.
    """

    raw: ObjectStore
    database: Database
    catalog: LakeCatalog
    scratch: Path
    progress: ProgressListener
    clock: Clock
    lease: Lease


@dataclass(frozen=True)
class EtlRequest:
    """What is asked: `full` rebuilds from raw alone, `run_id` is the last ingest run to apply."""

    full: bool = False
    engine: Literal["duckdb", "spark"] = "duckdb"
    run_id: str | None = None


@dataclass(frozen=True)
class BuildPlan:
    """What a run builds on, from which raw, and how.

    only_adds: nothing published may get lost. Not so when an older run is asked for, or when
    late rows change the order of observation.
    """

    main: PinnedCatalog
    raw: RawSelection
    mode: Mode
    only_adds: bool
