"""What is measured of gamelake: ingest and etl, in full, after changes, and with nothing new."""

import json
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow.dataset as ds

from bench.lake import KEY, WORKERS, Lake
from bench.measure import Cost, python
from bench.results import Results, Sample
from simulator.process import SimulatorProcess
from storage.layout import LakePaths

DELTA_SHARE = 0.01
ON_SERVERS = ", stack"  # how a row ends that MinIO, Nessie and PostgreSQL took part in
MB = 1e6


@dataclass(frozen=True)
class Scene:
    """A source of `games` games, a lake, and where samples of this round go."""

    source: SimulatorProcess
    games: int
    lake: Lake
    results: Results
    round: int

    def keep(self, what: str, cost: Cost, **facts: float) -> Sample:
        """Keep a sample; its seconds are what the command says itself, without start-up.

        What ran on servers says so: the same row of an embedded lake is what it is compared with.
        """
        seconds = float(cost.told["seconds"])
        sample = Sample(
            games=self.games,
            what=what if self.lake.embedded else what + ON_SERVERS,
            round=self.round,
            seconds=seconds,
            cpu_seconds=cost.cpu_seconds,
            peak_mb=cost.peak_mb,
            facts={**facts, "whole_seconds": cost.seconds},
        )
        return self.results.add(sample)


def measure_full(scene: Scene, *, strategy: str, name: str = "") -> None:
    """Measure a first ingest and a first etl; where the lake is embedded, their floors too."""
    scene.source.control.reset_counters()
    cost = scene.lake.do("ingest", "--strategy", strategy)
    scene.keep(f"ingest{name}", cost, requests=cost.told["requests"])
    pages = _pages_read(scene.source)
    if scene.lake.embedded:
        scene.keep(f"ingest{name} floor", _ingest_floor(scene, pages), pages=len(pages))
    scene.keep(f"etl{name}", scene.lake.do("etl"), **_bytes(scene.lake))
    if scene.lake.embedded:
        scene.keep(f"etl{name} floor", _etl_floor(scene.lake))


def measure_nothing_new(scene: Scene) -> None:
    """Measure both commands where nothing is new, and count the snapshots that etl makes."""
    lake = scene.lake
    before = lake.tables() if lake.embedded else {}
    cost = lake.do("etl")
    made = {"snapshots": len(lake.tables().items() - before.items())} if lake.embedded else {}
    scene.keep("etl, no change", cost, **made)
    scene.keep("ingest, no change", lake.do("ingest"))


def measure_random_delta(scene: Scene) -> None:
    """Measure both commands after 1 % of the games changed, anywhere."""
    changed = int(scene.games * DELTA_SHARE)
    scene.source.control.churn(changed, seed=scene.round + 1)
    _measure_delta(scene, "1 % random")


def measure_clustered_delta(scene: Scene) -> None:
    """Measure both commands after the 1 % of games with the highest ids changed."""
    raw = ds.dataset(LakePaths(scene.lake.home).raw / "rawg" / "games", exclude_invalid_files=True)
    newest = np.unique(raw.to_table(columns=["id"])["id"].to_numpy())
    for ident in newest[-int(scene.games * DELTA_SHARE) :].tolist():
        scene.source.control.change(ident, playtime=scene.round + 1)
    _measure_delta(scene, "1 % newest")


def measure_little_memory(scene: Scene) -> None:
    """Measure a first etl that may need 700 MB."""
    scene.lake.forget_tables()
    scene.keep("etl, 700 MB", scene.lake.do("etl", GAMELAKE_MEMORY_MB="700"))


def _measure_delta(scene: Scene, name: str) -> None:
    lake = scene.lake
    scene.keep(f"ingest, {name}", lake.do("ingest"))
    if not lake.embedded:
        scene.keep(f"etl, {name}", lake.do("etl"))
        return
    files, tables = lake.data_files(), lake.tables()
    cost = lake.do("etl")
    written = sum(size for path, size in lake.data_files().items() if path not in files)
    touched = sum(size for n, (at, size) in lake.tables().items() if tables[n][0] != at)
    scene.keep(f"etl, {name}", cost, written_mb=written / MB, touched_mb=touched / MB)


def _bytes(lake: Lake) -> dict[str, float]:
    if not lake.embedded:
        return {}
    return {"written_mb": sum(lake.data_files().values()) / MB}


def _pages_read(source: SimulatorProcess) -> list[str]:
    """Return the queries that were answered since the counters were reset."""
    return [*Counter(source.control.counters()["pages"]).elements()]


def _ingest_floor(scene: Scene, pages: list[str]) -> Cost:
    """Fetch the very pages that the ingest read."""
    listed = scene.lake.home / "pages.json"
    listed.write_text(json.dumps(pages))
    base = scene.source.base_url
    return python("-m", "bench.ingest_floor", base, KEY, str(WORKERS), str(listed))


def _etl_floor(lake: Lake) -> Cost:
    out = lake.home / "floor"
    return python("-m", "bench.etl_floor", str(LakePaths(lake.home).raw), str(out))
