"""A lake under measurement: an embedded one in a folder, or a stack that starts empty."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Cost, python
from etl.iceberg_embedded import EmbeddedCatalog
from storage.layout import MAIN, LakePaths
from testbed.stack import Stack

WORKERS = 4
KEY = "bench"


@dataclass(frozen=True)
class Lake:
    """Where it is, and the environment of its commands."""

    home: Path
    env: dict[str, str]
    stack: Stack | None = None

    @property
    def embedded(self) -> bool:
        """Whether raw and tables are local folders."""
        return self.stack is None

    def do(self, *command: str, **variables: str) -> Cost:
        """Run a gamelake command; what it printed as JSON is `told`."""
        return python("-m", "gamelake", *command, "--json", env=self.env | variables)

    def data_files(self) -> dict[str, int]:
        """Return the size of every data file of the warehouse, live or not."""
        found = LakePaths(self.home).warehouse.rglob("*.parquet")
        return {str(path): path.stat().st_size for path in found}

    def tables(self) -> dict[str, tuple[int, int]]:
        """Return the snapshot and the bytes of every published table."""
        catalog = EmbeddedCatalog(LakePaths(self.home))
        try:
            return {
                name: (table.snapshot_id, sum(file.bytes for file in table.data_files))
                for name, table in catalog.pin(MAIN).tables.items()
            }
        finally:
            catalog.close()

    def forget_tables(self) -> None:
        """Remove all tables and references of an embedded lake; raw stays."""
        paths = LakePaths(self.home)
        shutil.rmtree(paths.warehouse)
        for file in self.home.glob(f"{paths.catalog.name}*"):
            file.unlink()

    def empty(self) -> None:
        """Remove everything: the next command begins a new lake."""
        shutil.rmtree(self.home, ignore_errors=True)
        if self.stack is not None:
            self.env.update(self.stack.fresh())


@contextmanager
def open_lake(folder: Path, base_url: str, stack: Stack | None = None) -> Iterator[Lake]:
    """Give an empty lake below `folder`, on `stack` if there is one; removed afterwards."""
    home = folder / "lake"
    settings = {
        "GAMELAKE_HOME": str(home),
        "RAWG_BASE_URL": base_url,
        "RAWG_API_KEY": KEY,
        "RAWG_MONTHLY_QUOTA": "0",
        "RAWG_MAX_RPS": "0",
        "RAWG_WORKERS": str(WORKERS),
    }
    if stack is None:
        settings |= {"GAMELAKE_PROFILE": "embedded", "DATABASE_URL": ""}
    lake = Lake(home, settings, stack)
    lake.empty()
    try:
        yield lake
    finally:
        shutil.rmtree(home, ignore_errors=True)
