"""What was measured, and what follows from it: medians, spreads, ratios of one run, growth."""

import json
import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

GROWTH_FROM = 50_000  # games: below, time is mostly a fixed cost, which hides growth


@dataclass(frozen=True)
class Sample:
    """One measurement: `what` was done to `games` games in round `round`.

    facts: further numbers, such as `written_mb` or `snapshots`
    """

    games: int
    what: str
    round: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Spread:
    """The median of several runs, the least and the greatest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Summarize; raises ValueError where there are none."""
        listed = sorted(values)
        if not listed:
            raise ValueError("nothing was measured")
        return cls(statistics.median(listed), listed[0], listed[-1])


class Results:
    """The samples of one run of the bench."""

    def __init__(self, samples: Iterable[Sample] = ()) -> None:
        self.samples = [*samples]

    def add(self, sample: Sample) -> Sample:
        """Keep a sample, and return it."""
        self.samples.append(sample)
        return sample

    def of(self, games: int, what: str) -> list[Sample]:
        """Return the samples of one row, by round."""
        return [s for s in self.samples if (s.games, s.what) == (games, what)]

    def rows(self) -> list[tuple[int, str]]:
        """Return (games, what) of every row, in order of size, then of first measurement."""
        return sorted(dict.fromkeys((s.games, s.what) for s in self.samples), key=lambda r: r[0])

    def sizes(self, what: str) -> list[int]:
        """Return the sizes at which `what` was measured."""
        return sorted({s.games for s in self.samples if s.what == what})

    def spread(
        self, games: int, what: str, value: Callable[[Sample], float] = lambda s: s.seconds
    ) -> Spread:
        """Summarize a value of a row."""
        return Spread.of(value(sample) for sample in self.of(games, what))

    def ratio(self, games: int, what: str, to: str) -> Spread | None:
        """Return the time of `what` to that of `to`, round by round; None unless both are there.

        Both ran within minutes of each other, so a busy machine slows both.
        """
        others = {s.round: s.seconds for s in self.of(games, to)}
        pairs = [s.seconds / others[s.round] for s in self.of(games, what) if s.round in others]
        return Spread.of(pairs) if pairs else None

    def slope(self, what: str, *, least: int = 0) -> float | None:
        """Return the growth of time with size on log-log axes (1.0 is linear), by least squares.

        Sizes below `least` games are left out; None for fewer than two sizes.
        """
        sizes = [size for size in self.sizes(what) if size >= least]
        if len(sizes) < 2:
            return None
        x = [math.log(size) for size in sizes]
        y = [math.log(self.spread(size, what).median) for size in sizes]
        return statistics.linear_regression(x, y).slope

    def save(self, path: Path, machine: dict[str, Any]) -> None:
        """Write everything as JSON."""
        kept = {"machine": machine, "samples": [asdict(sample) for sample in self.samples]}
        path.write_text(json.dumps(kept, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Read what `save` wrote."""
        return cls(Sample(**sample) for sample in json.loads(path.read_text())["samples"])

    @classmethod
    def together(cls, paths: Sequence[Path]) -> "Results":
        """Read several runs; rounds of different runs stay different."""
        return cls(
            replace(sample, round=1_000 * number + sample.round)
            for number, path in enumerate(paths)
            for sample in cls.load(path).samples
        )
