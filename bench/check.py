"""The regression check: this run's ratios against the bars in expected.json.

A bar names a row, what it is compared with and the most that the ratio may be; or, without a
comparison, a value of the row (seconds, peak_mb, a fact) and its limit. Fixed costs weigh on small
inputs: a bar counts from `from_games` on. `goal` is for the reader only.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.results import Results, Sample

BARS = Path(__file__).with_name("expected.json")


@dataclass(frozen=True)
class Bar:
    """One line of expected.json."""

    name: str
    what: str
    most: float
    to: str = ""
    value: str = "seconds"
    from_games: int = 0
    goal: float | None = None


@dataclass(frozen=True)
class Verdict:
    """A bar at a size (0: over all from its smallest on), what was found, and whether it holds."""

    bar: Bar
    games: int
    found: float

    @property
    def holds(self) -> bool:
        """Whether the bar holds."""
        return self.found <= self.bar.most

    def __str__(self) -> str:
        over_all = f"from {self.bar.from_games:,} games on"
        size = f"{self.games:,} games" if self.games else over_all
        goal = f", goal {self.bar.goal:g}" if self.bar.goal is not None else ""
        word = "ok    " if self.holds else "FAILED"
        return f"{word} {self.bar.name}, {size}: {self.found:.3g} (at most {self.bar.most:g}{goal})"


def read_bars(path: Path = BARS) -> list[Bar]:
    """Read expected.json; raises TypeError for a bar with an unknown field."""
    return [Bar(**bar) for bar in json.loads(path.read_text())]


def verdicts(results: Results, bars: list[Bar]) -> Iterator[Verdict]:
    """Judge every bar at every size that was measured."""
    for bar in bars:
        if bar.value == "slope":
            slope = results.slope(bar.what, least=bar.from_games)
            if slope is not None:
                yield Verdict(bar, 0, slope)
            continue
        for games in results.sizes(bar.what):
            found = _found(results, bar, games)
            if games >= bar.from_games and found is not None:
                yield Verdict(bar, games, found)


def _found(results: Results, bar: Bar, games: int) -> float | None:
    if bar.to:
        ratio = results.ratio(games, bar.what, bar.to)
        return ratio.median if ratio else None
    if bar.value == "written_share":
        return results.spread(games, bar.what, _written_share).median
    if bar.value in ("seconds", "peak_mb"):
        return results.spread(games, bar.what, lambda s: getattr(s, bar.value)).median
    return max(sample.facts[bar.value] for sample in results.of(games, bar.what))


def _written_share(sample: Sample) -> float:
    touched = sample.facts["touched_mb"]
    return sample.facts["written_mb"] / touched if touched else 0.0
