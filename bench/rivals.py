"""What is measured of the peers: each a small program in an environment of its own.

All of them read the same pages of the same server as `gamelake ingest --strategy browse` does.
"""

import shutil
from pathlib import Path

from bench.lake import KEY
from bench.measure import Cost, run
from bench.ours import Scene
from bench.peer_env import PEERS, peer_python
from storage.layout import LakePaths

PAGE_SIZE = 40
DLT = tuple(
    (target, how) for target in ("parquet", "duckdb", "iceberg") for how in ("defaults", "tuned")
)


class UnequalInputError(Exception):
    """A peer did not read what the others read: its time would compare nothing."""


def measure_dlt(scene: Scene, folder: Path) -> None:
    """Measure dlt's REST source, to every target, with its defaults and tuned."""
    for target, how in DLT:
        cost = _program(scene, folder, "dlt/rest_source.py", *_pages(scene), "{out}", target, how)
        scene.keep(f"dlt to {target}, {how}", cost)


def measure_chain(scene: Scene, folder: Path) -> None:
    """Measure pages to published Iceberg tables by hand."""
    cost = _program(scene, folder, "arrow_chain/chain.py", *_pages(scene), "{out}")
    scene.keep("hand-written chain", cost)


def measure_pandas(scene: Scene, folder: Path) -> None:
    """Measure pandas: from pages to the star, and from the raw that our ingest stored."""
    cost = _program(scene, folder, "pandas/star.py", "pages", *_pages(scene), "{out}")
    scene.keep("pandas, from pages", cost)
    if scene.lake.embedded:
        raw = str(LakePaths(scene.lake.home).raw)
        scene.keep("pandas star", _program(scene, folder, "pandas/star.py", "raw", raw, "{out}"))


def _pages(scene: Scene) -> tuple[str, str, str]:
    return scene.source.base_url, KEY, str(-(-scene.games // PAGE_SIZE))


def _program(scene: Scene, folder: Path, program: str, *arguments: str) -> Cost:
    """Run a peer's program with an empty folder for `{out}`; refuse it when it read other pages."""
    peer, out = program.partition("/")[0], folder / "peer"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    scene.source.control.reset_counters()
    words = [str(out) if word == "{out}" else word for word in arguments]
    try:
        cost = run([peer_python(peer), str(PEERS / program), *words])
    finally:
        shutil.rmtree(out, ignore_errors=True)
    pages = sum(scene.source.control.counters()["pages"].values())
    if cost.told["games"] != scene.games or pages not in (0, -(-scene.games // PAGE_SIZE)):
        raise UnequalInputError(f"{program} read {pages} pages, {cost.told['games']:,} games")
    return cost
