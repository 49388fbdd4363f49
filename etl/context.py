"""What an etl run is given, what it is asked, and what it decides to do."""

from dataclasses import dataclass, field
from pathlib import Path

from etl.engine import MEMORY_MB
from etl.engine_contract import EngineName
from etl.iceberg_catalog import LakeCatalog, PinnedCatalog
from etl.raw_source import RawSelection
from etl.report import Mode
from etl.spark_settings import SparkSettings
from storage.database.repositories.leases import Lease
from storage.database.session import Database
from storage.object_store import ObjectStore
from utils.clock import Clock
from utils.progress import ProgressListener


@dataclass(frozen=True)
class EtlContext:
    """The lake and the tools. `scratch` is a local folder for what a run spills or downloads;
    `lease` is the writer lease that the caller holds; `memory_mb` is what the process may need.
    """

    raw: ObjectStore
    database: Database
    catalog: LakeCatalog
    scratch: Path
    progress: ProgressListener
    clock: Clock
    lease: Lease
    spark: SparkSettings = field(default_factory=SparkSettings)
    memory_mb: int = MEMORY_MB


@dataclass(frozen=True)
class EtlRequest:
    """What is asked: `full` rebuilds from raw alone, `run_id` is the last ingest run to apply."""

    full: bool = False
    engine: EngineName = "duckdb"
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
    engine: EngineName
    only_adds: bool
