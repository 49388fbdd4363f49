"""Faults come at the recorded rates, in runs, and the same for the same seed."""

from itertools import groupby

import pytest

from simulator.config import FaultProfile
from simulator.faults import KINDS, FaultPlan, PageFault, Quota


def faults(profile: FaultProfile, seed: int, requests: int) -> list[str | None]:
    """Draw faults for requests 20 ms apart."""
    plan = FaultPlan(profile, seed)
    return [plan.next("/api/games?page=1", number * 0.02) for number in range(requests)]


def test_profile_none_breaks_nothing() -> None:
    assert set(faults("none", 1, 5_000)) == {None}


@pytest.mark.parametrize(("profile", "rate"), [("recorded", 0.006), ("storm", 0.05)])
def test_rate(profile: FaultProfile, rate: float) -> None:
    drawn = faults(profile, 1, 200_000)
    assert sum(fault is not None for fault in drawn) / len(drawn) == pytest.approx(rate, rel=0.35)


def test_recorded_faults_are_nearly_all_502_in_runs_of_up_to_18() -> None:
    drawn = faults("recorded", 1, 200_000)
    fired = [fault for fault in drawn if fault]
    runs = {len(list(run)) for fault, run in groupby(drawn) if fault}
    assert set(fired) <= {"502", "504", "reset"}
    assert fired.count("502") / len(fired) > 0.95
    assert {1, 2, 3, 18} <= runs
    assert max(runs) < 40  # two runs may touch


def test_a_run_is_an_outage_that_ends_with_time_too() -> None:
    eager, patient = (FaultPlan("recorded", 5) for _ in range(2))
    failed = [sum(bool(p.next("/", n * pause)) for n in range(100_000))
              for p, pause in ((eager, 0.001), (patient, 60.0))]  # fmt: skip
    assert failed[1] < failed[0] / 1.5


def test_storm_has_every_shape() -> None:
    assert {fault for fault in faults("storm", 1, 100_000) if fault} == set(KINDS) - {"429"}


def test_the_same_seed_gives_the_same_faults() -> None:
    assert faults("storm", 3, 2_000) == faults("storm", 3, 2_000)
    assert faults("storm", 3, 2_000) != faults("storm", 4, 2_000)


def test_a_named_page_breaks_as_often_as_asked_after_what_is_skipped() -> None:
    plan = FaultPlan("none", 1)
    plan.pages.append(PageFault(match="page=3", kind="html", times=2, skip=1))
    targets = ["page=3", "page=2", "page=3", "page=3", "page=3"]
    assert [plan.next(t, 0.0) for t in targets] == [None, None, "html", "html", None]
    assert plan.fired == {"html": 2}


def test_quota_is_soft_at_its_edge_as_recorded() -> None:
    quota = Quota(seed=1)
    answers = [quota.refuses(20) for _ in range(20 + 154 + 50)]
    assert answers[:20] == [False] * 20
    edge = answers[20:174]
    assert edge[0]
    assert (edge.count(True), edge.count(False)) == (122, 32)
    assert len(list(groupby(edge))) > 30  # interleaved
    assert set(answers[174:]) == {True}


def test_quota_zero_is_unlimited() -> None:
    quota = Quota(seed=1)
    assert not any(quota.refuses(0) for _ in range(1_000))
