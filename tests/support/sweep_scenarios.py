"""The runs whose every operation is broken, and the points where."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from lake_places import FolderPlace, LakePlace
from sweep_stage import Scenario, Stage

from simulator.client import ControlClient
from utils.seams import When

_SOURCE = {"games": 220, "seed": 3}
_FETCH, _BUILD = ("ingest",), ("etl",)


def _changes(source: ControlClient) -> None:
    """Half of the games change, one comes, one goes, and one changes without saying so."""
    chosen = source.churn(110, seed=5)
    source.change(chosen[0], name="Renamed", rating=1.5)
    source.change(chosen[1], touch=False, slug="moved-quietly")
    source.add(name="Brand new")
    source.remove([chosen[-1]])


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("full", steps=(_FETCH, _BUILD), swept=(0, 1), source=_SOURCE),
        Scenario(
            "incremental",
            before=(_FETCH, _BUILD),
            change=_changes,
            steps=(_FETCH, _BUILD),
            swept=(0, 1),
            source=_SOURCE,
        ),
        Scenario(
            "split",
            steps=(_FETCH, _BUILD),
            swept=(0,),
            source={**_SOURCE, "depth_limit": 90},
            settings={"RAWG_DEPTH_LIMIT": "90"},
        ),
        Scenario(
            "browse",
            steps=(("ingest", "--strategy", "browse"), _BUILD),
            swept=(0,),
            source=_SOURCE,
        ),
        Scenario("large", steps=(_FETCH, _BUILD), swept=(), source={"games": 4_000, "seed": 7}),
        Scenario(
            "again",
            before=(_FETCH, _BUILD),
            change=_changes,
            steps=(("ingest", "--full"), ("etl", "--full")),
            swept=(0, 1),
            source=_SOURCE,
        ),
    )
}
SWEPT = tuple(name for name, scenario in SCENARIOS.items() if scenario.swept)


@dataclass(frozen=True)
class Point:
    """One operation of one step of a scenario: the `ordinal`-th of that name."""

    step: int
    name: str
    ordinal: int

    def __str__(self) -> str:
        return f"step {self.step}, {self.name} #{self.ordinal}"


def points_of(stage: Stage) -> list[Point]:
    """Return every operation of the swept steps."""
    return [
        Point(step, name, ordinal)
        for step in stage.scenario.swept
        for name, ordinal in stage.operations[step]
    ]


class Stages:
    """The stages of one test process, built when first asked for, each where `place` says.

    `place` is given a folder of the stage's own; `shared` is one that all test processes see.
    """

    def __init__(
        self, folder: Path, shared: Path, place: Callable[[Path], LakePlace] | None = None
    ) -> None:
        self._folder = folder
        self._shared = shared
        self._place = place or (lambda folder: FolderPlace(folder / "lake"))
        self._built: dict[str, Stage] = {}

    def get(self, name: str) -> Stage:
        """Return the stage of a scenario."""
        if name not in self._built:
            folder = self._folder / name
            folder.mkdir()
            self._built[name] = Stage.build(SCENARIOS[name], self._place(folder))
        return self._built[name]

    def points(self, name: str) -> list[Point]:
        """Return the points of a scenario: the same in every test process.

        Threads race, so no two traces are equal; the first process's is taken by all.
        """
        path = self._shared / f"points-{name}.json"
        if not path.is_file():
            own = [vars(point) for point in points_of(self.get(name))]
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(own))
            with suppress(FileExistsError):  # another process was first
                path.hardlink_to(partial)
        return [Point(**point) for point in json.loads(path.read_text())]

    def close(self) -> None:
        """Stop every simulator."""
        for stage in self._built.values():
            stage.close()


def share(points: list[Point], part: int, of: int) -> Iterator[Point]:
    """Yield the `part`-th of `of` equal shares, each with points of every kind."""
    yield from points[part::of]


def spread(points: list[Point], count: int) -> list[tuple[Point, When]]:
    """Return `count` points, as many of each step's kind of operation as of any other.

    Of each kind its first, its last and those between, before and after it in turn.
    """
    kinds: dict[tuple[int, str], list[Point]] = {}
    for point in points:
        kinds.setdefault((point.step, point.name), []).append(point)
    shares = dict.fromkeys(kinds, 0)
    turns = cycle(kinds)
    while sum(shares.values()) < min(count, 2 * len(points)):
        kind = next(turns)
        shares[kind] += shares[kind] < 2 * len(kinds[kind])
    return [found for kind, of in kinds.items() for found in _evenly(of, shares[kind])]


def _evenly(kind: list[Point], count: int) -> Iterator[tuple[Point, When]]:
    last = len(kind) - 1
    for number in range(count):
        place = number * last // (count - 1) if 1 < count <= last else number * len(kind) // count
        yield kind[place], "after" if number % 2 else "before"
