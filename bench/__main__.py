"""`python -m bench`: ours against the floors, in one run, as ratios.

For every size: a simulator, one `gamelake ingest` and one `gamelake etl` in processes of their
own, a second (delta) round, and the two floors on the same pages and the same raw.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Cost, python
from simulator.capacity import measure
from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess
from storage.layout import GAMES, SOURCE_RAWG, LakePaths
from storage.object_store import LocalFolderStore
from storage.raw_parts import list_parts

WORKERS = 4
KEY = "bench"
REFUSED_SHARE = 0.5  # a client that reaches half of the server's capacity measures the server


@dataclass(frozen=True)
class Line:
    """One row of the table: what was done to `games` games, against which floor."""

    games: int
    what: str
    cost: Cost
    seconds: float
    floor_s: float | None

    def __str__(self) -> str:
        ratio = f"{self.seconds / self.floor_s:6.2f}x" if self.floor_s else "      -"
        return (
            f"{self.games:>9,} {self.what:<18} {self.seconds:>8.2f} s {ratio}"
            f" {self.games / self.seconds:>10,.0f} games/s"
            f" {self.cost.cpu_seconds:>7.1f} s CPU {self.cost.peak_mb:>6,.0f} MB"
        )


def main() -> int:
    """Measure and print; ends with 1 when a figure would have measured the server."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--games", default="50000,400000,900000", help="sizes, comma-separated")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each floor and etl")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}")
    refused = False
    for games in [int(size) for size in arguments.games.split(",")]:
        with SimulatorProcess.start(SimulatorConfig(games=games)) as simulator:
            refused |= _measure_size(simulator, games, arguments.repeat)
    return int(refused)


def _measure_size(simulator: SimulatorProcess, games: int, repeat: int) -> bool:
    capacity = measure(simulator, "filtered", clients=2, seconds=3)
    print(f"simulator: {capacity}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "lake")
        env = _environment(home, simulator.base_url)
        ingest = python("-m", "gamelake", "ingest", "--json", env=env)
        fetched = _median(repeat, lambda: _ingest_floor(simulator, home))
        seconds = float(ingest.told["seconds"])
        print(Line(games, "ingest, full", ingest, seconds, fetched.told["seconds"]))
        print(Line(games, "  floor", fetched, fetched.told["seconds"], None))
        _measure_etl(games, home, env, repeat)
        again = python("-m", "gamelake", "ingest", "--json", env=env)
        print(Line(games, "ingest, no change", again, float(again.told["seconds"]), None))
        pages_s = int(ingest.told["requests"]) / seconds
    refused = pages_s > REFUSED_SHARE * capacity.pages_per_s
    if refused:
        print(f"refused: {pages_s:.0f} pages/s is half of what the server can do, or more")
    return refused


def _measure_etl(games: int, home: Path, env: dict[str, str], repeat: int) -> None:
    full = ["-m", "gamelake", "etl", "--full", "--json"]
    built = _median(repeat, lambda: python(*full, env=env))
    floor = _median(repeat, lambda: _etl_floor(home))
    nothing = python("-m", "gamelake", "etl", "--json", env=env)
    floor_s = floor.told["seconds"]
    print(Line(games, "etl, full", built, float(built.told["seconds"]), floor_s))
    print(Line(games, "  floor", floor, floor_s, None))
    print(Line(games, "etl, no change", nothing, float(nothing.told["seconds"]), None))


def _median(times: int, run: Callable[[], Cost]) -> Cost:
    costs = sorted((run() for _ in range(times)), key=lambda cost: float(cost.told["seconds"]))
    return costs[len(costs) // 2]


def _etl_floor(home: Path) -> Cost:
    return python("-m", "bench.etl_floor", str(LakePaths(home).raw), str(home / "floor"))


def _ingest_floor(simulator: SimulatorProcess, home: Path) -> Cost:
    """Fetch the very pages that the ingest stored."""
    store = LocalFolderStore(LakePaths(home).raw)
    pages = [
        _parameters(page.window, page.page)
        for part in list_parts(store, SOURCE_RAWG, GAMES)
        for page in part.manifest.pages
    ]
    listed = home / "pages.jsonl"
    listed.write_text("\n".join(json.dumps(page) for page in pages))
    return python("-m", "bench.ingest_floor", simulator.base_url, KEY, str(WORKERS), str(listed))


def _parameters(window: str, page: int) -> dict[str, str]:
    kind, _, span = window.partition(":")
    parameters = {"page": str(page), "page_size": "40", "ordering": "released"}
    if kind == "dates":
        parameters |= {"dates": span.replace("..", ","), "ordering": "created"}
    return parameters


def _environment(home: Path, base_url: str) -> dict[str, str]:
    return {
        "GAMELAKE_HOME": str(home),
        "RAWG_BASE_URL": base_url,
        "RAWG_API_KEY": KEY,
        "RAWG_MONTHLY_QUOTA": "0",
        "RAWG_MAX_RPS": "0",
        "RAWG_WORKERS": str(WORKERS),
    }


if __name__ == "__main__":
    sys.exit(main())
