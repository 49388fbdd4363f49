"""`python -m bench`: ours, peers and floors on the same input in one run, as ratios."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import rivals
from bench.check import read_bars, verdicts
from bench.lake import open_lake
from bench.ours import (
    Scene,
    measure_clustered_delta,
    measure_full,
    measure_little_memory,
    measure_nothing_new,
    measure_random_delta,
)
from bench.recorded import RECORDED, repeated
from bench.results import Results
from bench.table import add_totals, lines
from simulator.capacity import measure, warm
from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess
from testbed.stack import Stack

REFUSED_SHARE = 0.5  # a client that reaches half of the server's capacity measures the server
PARTS = ("ours", "delta", "dlt", "chain", "pandas")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when a figure would have measured the server, or a bar is missed."""
    asked = _parse(arguments)
    results = Results.together(asked.load)
    refused = False
    if not asked.load:
        machine = _machine()
        print(", ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
        with _sources(asked) as sources:
            for config in sources:
                refused |= _measure_size(results, config, asked)
                if asked.save:
                    results.save(asked.save, machine)
    add_totals(results)
    print("\n".join(lines(results)))
    failed = _judge(results) if asked.check else False
    return int(refused or failed)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--games", default="10000,50000", help="sizes, comma-separated")
    parser.add_argument(
        "--recorded",
        type=int,
        default=0,
        metavar="COPIES",
        help="recorded games too, where present, each so many times under other ids",
    )
    parser.add_argument("--repeat", type=int, default=3, help="rounds of everything")
    parser.add_argument(
        "--profile",
        choices=("embedded", "stack"),
        default="embedded",
        help="stack: on MinIO, Nessie and PostgreSQL too, which it starts, in the same rounds",
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="which of these to measure")
    parser.add_argument("--check", action="store_true", help="end with 1 when a bar is missed")
    parser.add_argument("--save", type=Path, help="keep the samples in a file")
    parser.add_argument(
        "--load", type=Path, nargs="+", default=[], help="show kept samples; measure nothing"
    )
    return parser.parse_args(arguments)


@contextmanager
def _sources(asked: argparse.Namespace) -> Iterator[list[SimulatorConfig]]:
    """Give what is to be measured; recorded games are spread out in a folder meanwhile."""
    sources = [SimulatorConfig(games=int(size)) for size in asked.games.split(",") if size]
    with _folder() as folder:
        if asked.recorded and RECORDED.is_dir():
            sources.insert(0, SimulatorConfig(replay=repeated(folder, asked.recorded)))
        yield sources


def _measure_size(results: Results, config: SimulatorConfig, asked: argparse.Namespace) -> bool:
    """Measure all rounds at one size; return whether a figure had to be refused."""
    stack = Stack() if asked.profile == "stack" else nullcontext(None)
    with SimulatorProcess.start(config) as source, stack as servers, _folder() as folder:
        games = int(source.control.state()["games"])
        warm(source)
        capacity = measure(source, "filtered", clients=2, seconds=2)
        print(f"{games:,} games, simulator: {capacity}", flush=True)
        parts = set(asked.parts.split(","))
        for number in range(asked.repeat):
            with open_lake(folder, source.base_url) as lake:
                _measure_round(Scene(source, games, lake, results, number), folder, parts)
            if servers is not None:
                with open_lake(folder, source.base_url, servers) as lake:
                    _measure_ours(Scene(source, games, lake, results, number), parts)
            print(f"{games:,} games: round {number + 1} of {asked.repeat} done", flush=True)
        return _refused(results, games, capacity.pages_per_s)


def _measure_round(scene: Scene, folder: Path, parts: set[str]) -> None:
    peers = parts & {"dlt", "chain", "pandas"}
    if peers:
        measure_full(scene, strategy="browse", name=", browse")
        for name in sorted(peers):
            getattr(rivals, f"measure_{name}")(scene, folder)
        scene.lake.empty()
    _measure_ours(scene, parts)


def _measure_ours(scene: Scene, parts: set[str]) -> None:
    if parts & {"ours", "delta"}:
        measure_full(scene, strategy="dates")
    if "delta" in parts:
        measure_nothing_new(scene)
        measure_random_delta(scene)
        if scene.lake.embedded:
            measure_clustered_delta(scene)
            measure_little_memory(scene)


def _refused(results: Results, games: int, capacity: float) -> bool:
    refused = False
    for what in ("ingest", "ingest, browse"):
        for sample in results.of(games, what):
            asked = sample.facts["requests"] / sample.seconds
            if asked > REFUSED_SHARE * capacity:
                print(
                    f"refused: {what} asks for {asked:.0f} pages/s, the server can {capacity:.0f}"
                )
                refused = True
    return refused


def _judge(results: Results) -> bool:
    """Print every verdict; return whether one fails."""
    found = [*verdicts(results, read_bars())]
    print("\n".join(map(str, found)) or "no bar applies to what was measured")
    return not all(verdict.holds for verdict in found)


def _machine() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "Python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gamelake-bench-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
