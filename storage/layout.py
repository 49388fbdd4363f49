"""Every path and table name of a lake, in one place (DESIGN sections 4 to 7).

GAMELAKE_HOME/
  raw/<source>/<entity>/run=<run_id>/part-NNNNN.parquet  + part-NNNNN.manifest.json
  raw/<source>/_quarantine/run=<run_id>/part-NNNNN.parquet
  spool/<run_id>/...                  pages read but not yet rolled into a part (not raw)
  warehouse/games/<table>/...         Iceberg data and metadata
  catalog.db  store.db  logs/  tmp/
"""

from dataclasses import dataclass
from pathlib import Path

MAIN = "main"
NAMESPACE = "games"
VIEWS_SCHEMA = "curated"
SOURCE_RAWG = "rawg"
GAMES = "games"
LOOKUPS = ("platforms", "parent_platforms", "stores", "genres")
YEAR_COUNTS = "year_counts"
QUARANTINE = "_quarantine"
WRITER_LEASE = "writer"

# Key of the newest `updated` that is durable, in the state of the operational store.
WATERMARK = f"watermark:{SOURCE_RAWG}"

# Listings a row can come from.
BROWSE = "browse"
FILTERED = "filtered"

FACT_GAMES = "fact_games"
FACT_GAME_HISTORY = "fact_game_history"
FACT_SOURCE_YEARS = "fact_source_years"
DIM_DATE = "dim_date"
DIM_PLATFORM = "dim_platform"
DIM_STORE = "dim_store"
DIM_GENRE = "dim_genre"
DIM_TAG = "dim_tag"
DIM_ESRB_RATING = "dim_esrb_rating"
BRIDGE_GAME_PLATFORM = "bridge_game_platform"
BRIDGE_GAME_STORE = "bridge_game_store"
BRIDGE_GAME_GENRE = "bridge_game_genre"
BRIDGE_GAME_TAG = "bridge_game_tag"

STAR = (
    DIM_DATE,
    DIM_PLATFORM,
    DIM_STORE,
    DIM_GENRE,
    DIM_TAG,
    DIM_ESRB_RATING,
    FACT_GAMES,
    FACT_GAME_HISTORY,
    FACT_SOURCE_YEARS,
    BRIDGE_GAME_PLATFORM,
    BRIDGE_GAME_STORE,
    BRIDGE_GAME_GENRE,
    BRIDGE_GAME_TAG,
)


@dataclass(frozen=True)
class LakePaths:
    """The local folders and files under one GAMELAKE_HOME."""

    home: Path

    @property
    def raw(self) -> Path:
        """Root folder of the raw object store (embedded profile)."""
        return self.home / "raw"

    @property
    def spool(self) -> Path:
        """Folder of the append-only page spool."""
        return self.home / "spool"

    @property
    def warehouse(self) -> Path:
        """Root folder of the Iceberg warehouse (embedded profile)."""
        return self.home / "warehouse"

    @property
    def catalog(self) -> Path:
        """SQLite file of the embedded catalog."""
        return self.home / "catalog.db"

    @property
    def store(self) -> Path:
        """SQLite file of the operational store (embedded profile)."""
        return self.home / "store.db"

    @property
    def scratch(self) -> Path:
        """Folder of what a run needs on disk only while it works; swept by the next."""
        return self.home / "tmp"

    @property
    def logs(self) -> Path:
        """Folder of log files."""
        return self.home / "logs"


def run_prefix(source: str, entity: str, run_id: str) -> str:
    """Key prefix of one run's raw objects; keys are relative to the raw store's root."""
    return f"{source}/{entity}/run={run_id}/"


def part_key(source: str, entity: str, run_id: str, number: int) -> str:
    """Key of one raw part."""
    return f"{run_prefix(source, entity, run_id)}part-{number:05d}.parquet"


def manifest_key(part: str) -> str:
    """Key of the manifest that makes the raw part `part` exist."""
    return part.removesuffix(".parquet") + ".manifest.json"


def etl_branch(run_id: str) -> str:
    """Name of the branch on which an etl run builds."""
    return f"etl-{run_id}"


def run_tag(run_id: str) -> str:
    """Name of the tag that keeps a published run."""
    return f"run-{run_id}"
