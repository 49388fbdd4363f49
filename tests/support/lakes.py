"""A whole lake driven as the commands drive it, in this process, for end-to-end tests."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etl.context import EtlContext, EtlRequest
from etl.pipeline import run_etl
from etl.report import EtlReport
from gamelake.context import Lake, open_lake
from ingestion.context import IngestContext, IngestRequest
from ingestion.ingest_pipeline import run_ingest
from ingestion.report import IngestReport
from storage.database.writer import hold_writer
from utils.clock import SystemClock
from utils.config import Settings
from utils.progress import SilentProgress

KEY = "canary-5f1e-key-that-must-never-leak"


@dataclass(frozen=True)
class LakeUnderTest:
    """Where a lake lies and what it reads from; picklable, so that a child can open it."""

    home: Path
    base_url: str
    settings: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, home: Path, base_url: str, **settings: Any) -> "LakeUnderTest":
        """Describe a lake; `settings` are fields of Settings, quota and rate unlimited by default."""
        defaults = {"rawg_monthly_quota": 0, "rawg_max_rps": 0, "rawg_workers": 2}
        return cls(home, base_url, tuple((defaults | settings).items()))

    @contextmanager
    def open(self) -> Iterator[Lake]:
        """Open the lake, creating it."""
        settings = Settings.model_validate(
            {
                "gamelake_home": self.home,
                "rawg_base_url": self.base_url,
                "rawg_api_key": KEY,
                **dict(self.settings),
            }
        )
        with open_lake(settings, create=True) as lake:
            yield lake

    def ingest(self, **request: Any) -> IngestReport:
        """Run `gamelake ingest`."""
        with self.open() as lake:
            context = IngestContext(
                settings=lake.settings,
                raw=lake.raw,
                database=lake.database,
                spool=lake.paths.spool,
                progress=SilentProgress(),
                clock=SystemClock(),
                stop=threading.Event(),
            )
            return run_ingest(context, IngestRequest(**request))

    def etl(self, **request: Any) -> EtlReport:
        """Run `gamelake etl`."""
        with self.open() as lake, hold_writer(lake.database) as lease:
            context = EtlContext(
                raw=lake.raw,
                database=lake.database,
                catalog=lake.catalog,
                scratch=lake.paths.home / "tmp",
                progress=SilentProgress(),
                clock=SystemClock(),
                lease=lease,
            )
            return run_etl(context, EtlRequest(**request))
