"""A lake, a simulator and short words for running ingest in tests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.context import IngestContext, IngestRequest
from ingestion.ingest_pipeline import plan_ingest, run_ingest
from ingestion.report import IngestReport, Plan
from simulator.config import SimulatorConfig
from simulator.server import SimulatorProcess
from storage.database.session import Database
from storage.layout import GAMES, SOURCE_RAWG
from storage.object_store import LocalFolderStore
from storage.raw_parts import RawPart, list_parts, part_problems
from utils.clock import Clock, SystemClock
from utils.config import Settings
from utils.progress import ProgressListener, SilentProgress

FULL = IngestRequest()
AGAIN = IngestRequest(full=True)


@dataclass
class Lab:
    """One lake beside one simulator; `settings` override what suits a test."""

    home: Path
    simulator: SimulatorProcess
    database: Database
    settings: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)
    progress: ProgressListener = field(default_factory=SilentProgress)

    @property
    def store(self) -> LocalFolderStore:
        return LocalFolderStore(self.home / "raw")

    def context(self) -> IngestContext:
        fast = {
            "rawg_api_key": "a-key",
            "rawg_base_url": self.simulator.base_url,
            "rawg_max_rps": 0,
            "rawg_monthly_quota": 0,
            "gamelake_home": self.home,
        }
        return IngestContext(
            settings=Settings(**fast | self.settings),
            raw=self.store,
            database=self.database,
            spool=self.home / "spool",
            progress=self.progress,
            clock=self.clock,
            stop=self.stop,
        )

    def ingest(self, request: IngestRequest = FULL) -> IngestReport:
        """Run ingest, then check what must hold after every run."""
        report = run_ingest(self.context(), request)
        self.check()
        return report

    def plan(self, request: IngestRequest = FULL) -> Plan:
        return plan_ingest(self.context(), request)

    def parts(self) -> list[RawPart]:
        return list_parts(self.store, SOURCE_RAWG, GAMES)

    def column(self, name: str) -> list[Any]:
        """Return one column of all stored versions, in order."""
        keys = [part.key for part in self.parts()]
        return self.store.read_table(keys, [name])[name].to_pylist() if keys else []

    def ids(self) -> set[int]:
        return set(self.column("id"))

    def check(self) -> None:
        """Every part is whole, the spool is empty, the ledger knows exactly what raw holds."""
        assert [
            problem for part in self.parts() for problem in part_problems(self.store, part)
        ] == []
        assert list((self.home / "spool").glob("*/*")) == []
        with self.database.reading() as unit:
            assert set(unit.ledger.ids(SOURCE_RAWG, GAMES)) == self.ids()

    def requests(self) -> dict[str, int]:
        """Return the requests that the simulator counted, by kind, and count from zero."""
        kinds: dict[str, int] = self.simulator.control.counters()["kinds"]
        self.simulator.control.reset_counters()
        return kinds

    def state(self, key: str) -> str | None:
        with self.database.reading() as unit:
            return unit.state.get(key)

    def everything(self) -> str:
        """Return all that the lake's folder holds, as text, for a search for secrets."""
        return json.dumps(
            [path.read_bytes().decode("latin-1") for path in self.home.rglob("*") if path.is_file()]
        )


@contextmanager
def lab(home: Path, *, settings: dict[str, Any] | None = None, **config: Any) -> Iterator[Lab]:
    """Start a simulator with `config` beside a new or existing lake in `home`."""
    home.mkdir(parents=True, exist_ok=True)
    with (
        SimulatorProcess.start(SimulatorConfig(**config)) as simulator,
        Database.open(f"sqlite:///{home}/store.db") as database,
    ):
        yield Lab(home, simulator, database, settings or {})
