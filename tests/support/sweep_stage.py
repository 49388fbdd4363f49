"""A scenario set up once: the lake before each step, and what a run that never stops gives."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import crash
from lake_places import LakePlace
from lakes import LakeUnderTest, Told, hurried
from simulated import running
from star_tables import Star, differences, read_star

from simulator.client import ControlClient
from simulator.server import SimulatorProcess
from utils import seams

Command = tuple[str, ...]
Operations = list[tuple[str, int]]


@dataclass(frozen=True)
class Scenario:
    """What is run, on what. `before` is done first, then the source changes, then `steps`.

    `swept` are the numbers of the steps (from 0) whose operations are broken.
    """

    name: str
    steps: tuple[Command, ...]
    swept: tuple[int, ...]
    before: tuple[Command, ...] = ()
    change: Callable[[ControlClient], None] | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Stage:
    """A scenario's lake and simulator, and its references.

    operations, pages: of each step. probes: pages that were asked for their count only.
    ended: ingest runs completed before each step. stars: before each step and at the end.
    later: after the steps were asked for once more, which a lake must equal whose ingest run had
    ended before it was killed.
    """

    scenario: Scenario
    simulator: SimulatorProcess
    place: LakePlace
    lake: LakeUnderTest
    operations: list[Operations] = field(default_factory=list)
    pages: list[Counter[str]] = field(default_factory=list)
    probes: set[str] = field(default_factory=set)
    ended: list[int] = field(default_factory=list)
    stars: list[Star] = field(default_factory=list)
    later: Star = field(default_factory=dict)

    @classmethod
    def build(cls, scenario: Scenario, place: LakePlace) -> "Stage":
        """Run the scenario without faults and remember all of it."""
        simulator = running(**scenario.source)
        settings = {**place.settings(), **scenario.settings}
        lake = LakeUnderTest(place.home, simulator.base_url, settings)
        stage = cls(scenario, simulator, place, lake)
        with ExitStack() as on_error:
            on_error.callback(stage.close)
            stage._rehearse()
            on_error.pop_all()
        return stage

    def close(self) -> None:
        """Stop the simulator."""
        self.simulator.stop()

    def reset(self, step: int) -> None:
        """Put the lake back to before `step`, and count requests from zero."""
        self.place.restore(f"before-{step}")
        self.simulator.control.reset_counters()

    def strike(self, step: int, fault: seams.Fault) -> crash.Outcome:
        """Run one step in a child in which `fault` is armed."""
        return crash.run(hurried, self.lake, *self.scenario.steps[step], fault=fault)

    def resume(self) -> list[Told]:
        """Ask for all steps once more, as a user would; the first error ends it."""
        told: list[Told] = []
        for command in self.scenario.steps:
            told.append(self.lake.run(*command))
            if told[-1].code:
                break
        return told

    def star(self) -> Star:
        """Return what readers see; nothing when there is no lake yet."""
        if not self.place.is_made():
            return {}
        with self.lake.open() as lake:
            return read_star(lake)

    def has_ended(self, step: int) -> bool:
        """Return whether the ingest run of the struck step was over when the fault came."""
        return step > 0 or self._completed() > self.ended[step]

    def open_windows(self) -> int:
        """Return how many windows an interrupted run has not finished."""
        if not self.place.is_made():
            return 0
        with self.lake.open() as lake, lake.database.reading() as unit:
            runs = [run for run in unit.runs.list(100, "ingest") if run.state != "completed"]
            return sum(w.state == "open" for run in runs for w in unit.windows.list(run.run_id))

    def problems(self, *, ended: bool) -> list[str]:
        """Return what is wrong with the lake after a resume; `ended`: see has_ended."""
        expected = self.later if ended else self.stars[-1]
        return self.lake.broken() + differences(self.star(), expected)

    def extra_pages(self, step: int) -> int:
        """Return how many pages were served again since `reset`, count probes apart."""
        again = self._served() - self.pages[step]
        return sum(times for page, times in again.items() if page not in self.probes)

    def _rehearse(self) -> None:
        for command in self.scenario.before:
            self.lake.must(*command)
        if self.scenario.change:
            self.scenario.change(self.simulator.control)
        for number, command in enumerate(self.scenario.steps):
            self._perform(number, command)
        self.stars.append(self.star())
        self.probes = self._count_probes()
        for command in self.scenario.steps:
            self.lake.must(*command)
        self.later = self.star()
        assert self.lake.broken() == []

    def _perform(self, number: int, command: Command) -> None:
        self.place.save(f"before-{number}")
        self.stars.append(self.star())
        self.ended.append(self._completed())
        self.simulator.control.reset_counters()
        seams.arm(None, trace=True)
        try:
            self.lake.must(*command)
        finally:
            self.operations.append(seams.traced())
            seams.arm(None)
        self.pages.append(self._served())

    def _served(self) -> Counter[str]:
        return Counter(self.simulator.control.counters()["pages"])

    def _completed(self) -> int:
        if not self.place.is_made():
            return 0
        with self.lake.open() as lake, lake.database.reading() as unit:
            return sum(run.state == "completed" for run in unit.runs.list(100, "ingest"))

    def _count_probes(self) -> set[str]:
        with self.lake.open() as lake, lake.database.reading() as unit:
            run = unit.runs.list(1, "ingest")[0]
            split = [w for w in unit.windows.list(run.run_id) if w.state == "split"]
        spans = {f"dates={w.first}%2C{w.last}&ordering=created&page=1&page_size=40" for w in split}
        return spans | {"ordering=-updated&page=1&page_size=40"}  # which every run asks first
