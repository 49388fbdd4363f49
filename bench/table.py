"""The table: one line a row of the results, with its ratio to what it is compared with."""

from collections.abc import Iterator

from bench.ours import ON_SERVERS
from bench.results import GROWTH_FROM, Results, Sample, Spread

ON_BOTH = (
    "ingest",
    "etl",
    "ingest, no change",
    "etl, no change",
    "ingest, 1 % random",
    "etl, 1 % random",
)
# Whose time each row is divided by.
COMPARED = {
    "ingest": "ingest floor",
    "etl": "etl floor",
    "ingest, browse": "ingest, browse floor",
    "etl, browse": "etl, browse floor",
    "ingest, 1 % random": "ingest",
    "etl, 1 % random": "etl",
    "ingest, 1 % newest": "ingest",
    "etl, 1 % newest": "etl",
    "etl, 700 MB": "etl",
    "etl, no change": "etl",
    "ingest, no change": "ingest",
    "pandas star": "etl, browse",
    "pandas, from pages": "pages to tables",
    "hand-written chain": "pages to tables",
    "dlt to parquet, defaults": "ingest, browse",
    "dlt to parquet, tuned": "ingest, browse",
    "dlt to duckdb, defaults": "ingest, browse",
    "dlt to duckdb, tuned": "ingest, browse",
    "dlt to iceberg, defaults": "pages to tables",
    "dlt to iceberg, tuned": "pages to tables",
} | {f"{what}{ON_SERVERS}": what for what in ON_BOTH}
GROWING = ("ingest", "etl", "ingest floor", "etl floor")
HEAD = (
    f"{'games':>9} {'what':<25} {'seconds (least to most)':>25}  {'ratio (least to most)':<25}"
    f"{'to':<21}{'games/s':>9} {'CPU s':>8} {'us/game':>8} {'memory':>9}"
)


def add_totals(results: Results) -> None:
    """Add `pages to tables`: ingest and etl of one round together, what a chain does in one go."""
    for games in results.sizes("etl, browse"):
        etl = {sample.round: sample for sample in results.of(games, "etl, browse")}
        for ingest in results.of(games, "ingest, browse"):
            results.add(_together(ingest, etl[ingest.round]))


def _together(first: Sample, second: Sample) -> Sample:
    return Sample(
        games=first.games,
        what="pages to tables",
        round=first.round,
        seconds=first.seconds + second.seconds,
        cpu_seconds=first.cpu_seconds + second.cpu_seconds,
        peak_mb=max(first.peak_mb, second.peak_mb),
    )


def lines(results: Results) -> Iterator[str]:
    """Yield the table, then the growth of time with size."""
    yield HEAD
    for games, what in results.rows():
        yield _line(results, games, what)
    for what in GROWING:
        if (slope := results.slope(what, least=GROWTH_FROM)) is not None:
            sizes = [size for size in results.sizes(what) if size >= GROWTH_FROM]
            yield f"growth of {what}, from {sizes[0]:,} to {sizes[-1]:,} games: slope {slope:.2f}"


def _line(results: Results, games: int, what: str) -> str:
    time = results.spread(games, what)
    cpu = results.spread(games, what, lambda s: s.cpu_seconds).median
    memory = max(sample.peak_mb for sample in results.of(games, what))
    to = COMPARED.get(what, "")
    ratio = results.ratio(games, what, to)
    return (
        f"{games:>9,} {what:<25} {_seconds(time):>25}  {_ratio(ratio):<25}"
        f"{to if ratio else '':<21}{games / time.median:>9,.0f} {cpu:>8.1f}"
        f" {cpu / games * 1e6:>8.0f} {memory:>6,.0f} MB{_facts(results, games, what)}"
    )


def _seconds(time: Spread) -> str:
    return f"{time.median:.2f} ({time.least:.2f} to {time.most:.2f})"


def _ratio(ratio: Spread | None) -> str:
    return f"{ratio.median:.2f}x ({ratio.least:.2f} to {ratio.most:.2f})" if ratio else ""


def _facts(results: Results, games: int, what: str) -> str:
    facts = results.of(games, what)[-1].facts
    if "touched_mb" in facts:
        return f"  wrote {facts['written_mb']:.1f} MB of {facts['touched_mb']:.1f} MB touched"
    if "snapshots" in facts:
        return f"  {facts['snapshots']:.0f} snapshots"
    return ""
