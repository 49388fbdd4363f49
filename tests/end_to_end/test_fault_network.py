"""Whatever the network does, the star is that of a quiet one: contracts/reliability.md, test 9."""

from collections.abc import Callable

import pytest
from star_tables import differences
from sweep_scenarios import Stages
from sweep_stage import Stage

from simulator.faults import KINDS

pytestmark = pytest.mark.crash
LONGEST = 18  # consecutive failures, as recorded
WORKERS = 2
PLACES = {"one page": "page=3", "everything": ""}
SEEDS = {"recorded": range(1, 21), "storm": range(1, 7)}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_failure_is_outlasted(
    stages: Stages, kind: str, place: str, record_property: Callable[[str, object], None]
) -> None:
    stage = stages.get("full")
    found = []
    for times in (1, 3, LONGEST):
        stage.reset(0)
        stage.simulator.control.page_fault(PLACES[place], kind, times=times, skip=not PLACES[place])
        try:
            fired, problems = outlast(stage)
        finally:
            stage.simulator.control.faults("none")
        found += [f"{times} times: {problem}" for problem in problems]
        assert fired >= times, "the failures did not come"
    assert found == []
    record_property("counted runs through network failures, each kind", 3)


@pytest.mark.parametrize("profile", SEEDS)
def test_a_storm_gives_the_star_of_a_calm(
    stages: Stages, profile: str, record_property: Callable[[str, object], None]
) -> None:
    stage = stages.get("large")
    found, fired = [], 0
    for seed in SEEDS[profile]:
        stage.reset(0)
        stage.simulator.control.faults(profile, seed)  # type: ignore[arg-type]
        try:
            failures, problems = outlast(stage)
        finally:
            stage.simulator.control.faults("none")
        found += [f"seed {seed}: {problem}" for problem in problems]
        fired += failures
    assert found == []
    assert fired >= 10, "hardly anything went wrong: this test would prove little"
    record_property(f"counted failed requests ({profile})", fired)


def outlast(stage: Stage) -> tuple[int, list[str]]:
    """Fetch through failures, then build in a calm; return how many came, and what is wrong."""
    lake = stage.lake.but(RAWG_TIMEOUT_S="0.5")
    told = lake.run(*stage.scenario.steps[0])
    fired = sum(stage.simulator.control.counters()["faults"].values())
    extra = stage.extra_pages(0)
    stage.simulator.control.faults("none")
    if told.code:
        return fired, [f"ingest ended with {told.code}: {told.err}"]
    problems = []
    if extra > 1.2 * fired + WORKERS:
        problems.append(f"{extra} pages were fetched again after {fired} failures")
    built = stage.lake.run(*stage.scenario.steps[1])
    problems += [f"etl ended with {built.code}: {built.err}"] if built.code else []
    return fired, problems + stage.lake.broken() + differences(stage.star(), stage.stars[-1])
