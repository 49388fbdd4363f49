"""What is measured of the peers: each a small program in an environment of its own.

All of them read the same pages of the same server as `gamelake ingest --strategy browse` does.
"""

import shutil
from pathlib import Path

from bench.lake import KEY
from bench.measure import Cost, TooMuchMemoryError, run
from bench.ours import Scene
from bench.peer_env import PEERS, peer_python
from storage.layout import LakePaths

PAGE_SIZE = 40
CEILING_MB = 6_000  # a peer that needs more is ended, and has no row
DLT = tuple(
    (target, how) for target in ("parquet", "duckdb", "iceberg") for how in ("defaults", "tuned")
)


class UnequalInputError(Exception):
    """A peer did not read what the others read: its time would compare nothing."""


def measure_dlt(scene: Scene, folder: Path) -> None:
    """Measure dlt's REST source, to every target, with its defaults and tuned."""
    for target, how in DLT:
        words = (*_pages(scene), "{out}", target, how)
        _keep(scene, folder, f"dlt to {target}, {how}", "dlt/rest_source.py", *words)


def measure_chain(scene: Scene, folder: Path) -> None:
    """Measure pages to published Iceberg tables by hand."""
    _keep(scene, folder, "hand-written chain", "arrow_chain/chain.py", *_pages(scene), "{out}")


def measure_pandas(scene: Scene, folder: Path) -> None:
    """Measure pandas: from pages to the star, and from the raw that our ingest stored."""
    words = ("pages", *_pages(scene), "{out}")
    _keep(scene, folder, "pandas, from pages", "pandas/star.py", *words)
    raw = str(LakePaths(scene.lake.home).raw)
    _keep(scene, folder, "pandas star", "pandas/star.py", "raw", raw, "{out}")


def _pages(scene: Scene) -> tuple[str, str, str]:
    return scene.source.base_url, KEY, str(-(-scene.games // PAGE_SIZE))


def _keep(scene: Scene, folder: Path, what: str, *program: str) -> None:
    """Keep a sample of a peer's program, or say that it needs too much memory."""
    try:
        scene.keep(what, _program(scene, folder, *program))
    except TooMuchMemoryError as error:
        print(f"{scene.games:,} games, {what}: ended, it needs {error}", flush=True)


def _program(scene: Scene, folder: Path, program: str, *arguments: str) -> Cost:
    """Run a peer's program with an empty folder for `{out}`; refuse it when it read other pages."""
    peer, out = program.partition("/")[0], folder / "peer"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    scene.source.control.reset_counters()
    words = [str(out) if word == "{out}" else word for word in arguments]
    try:
        cost = run([peer_python(peer), str(PEERS / program), *words], ceiling_mb=CEILING_MB)
    finally:
        shutil.rmtree(out, ignore_errors=True)
    pages = sum(scene.source.control.counters()["pages"].values())
    if cost.told["games"] != scene.games or pages not in (0, -(-scene.games // PAGE_SIZE)):
        raise UnequalInputError(f"{program} read {pages} pages, {cost.told['games']:,} games")
    return cost
