"""`--dry-run` says how many requests a run will send; then it sends as many."""

from pathlib import Path
from typing import Any

import pytest
from acceptance_lake import raw_parts
from lakes import LakeUnderTest, hurry
from simulated import running

from simulator.process import SimulatorProcess

QUOTA = 4
SCOPES = {
    "everything": [],
    "browse": ["--strategy", "browse"],
    "limit": ["--limit", "333"],
    "months": ["--from", "2016-03", "--to", "2019-08"],
    "from": ["--from", "2021-01"],
    "months and limit": ["--from", "2016-03", "--to", "2019-08", "--limit", "150"],
}


def _plan_then_run(lake: LakeUnderTest, *argv: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return lake.must("ingest", *argv, "--dry-run"), lake.must("ingest", *argv)


def _sent(source: SimulatorProcess) -> int:
    return sum(source.control.counters()["kinds"].values())


@pytest.mark.parametrize("depth", [10_000, 300], ids=["shallow", "split"])
@pytest.mark.parametrize("argv", SCOPES.values(), ids=SCOPES)
def test_a_first_run_sends_the_requests_that_were_planned(
    argv: list[str], depth: int, tmp_path: Path
) -> None:
    with running(games=2_000, depth_limit=depth) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, {"RAWG_DEPTH_LIMIT": str(depth)})
        plan = lake.must("ingest", *argv, "--dry-run")
        source.control.reset_counters()
        report = lake.must("ingest", *argv)

        assert plan["requests"] == report["requests"] == _sent(source)
        assert {w["from"]: w["api_count"] for w in plan["windows"] if w["from"]}.keys() == {
            w["from"] for w in report["windows"] if w["from"]
        }


def test_a_day_over_the_limit_may_cost_one_request_less_than_planned(tmp_path: Path) -> None:
    """Where on its page the day begins, only the run finds out."""
    with running(games=2_000, busy_day=700, depth_limit=300) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, {"RAWG_DEPTH_LIMIT": "300"})
        plan, report = _plan_then_run(lake)

        assert plan["requests"] - report["requests"] in (0, 1)


def test_a_delta_sends_the_requests_that_were_planned(tmp_path: Path) -> None:
    with running(games=3_000) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        lake.must("ingest")
        for changes in (0, 7, 500):
            source.control.advance(3 * 86_400)
            source.control.churn(changes, seed=changes)
            plan, report = _plan_then_run(lake)
            assert (plan["scope"], report["scope"]) == ("delta", "delta")
            assert plan["requests"] == report["requests"]
            assert report["games_changed"] == changes


@pytest.mark.parametrize("quota", [4, 7, 9])
@pytest.mark.parametrize("scope", ["everything", "browse", "limit", "months and limit"])
def test_a_resume_sends_the_requests_that_were_planned(
    scope: str, quota: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the look-ups, at the first count, among the pages."""
    hurry(monkeypatch)
    argv = SCOPES[scope]
    with running(games=1_000, depth_limit=200) as source:
        settings = {"RAWG_DEPTH_LIMIT": "200", "RAWG_MONTHLY_QUOTA": str(quota)}
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, settings)
        stopped = lake.run("ingest", *argv)
        lake = lake.but(RAWG_MONTHLY_QUOTA="0")
        plan = lake.must("ingest", *argv, "--dry-run")
        source.control.reset_counters()
        report = lake.must("ingest", *argv)

        assert stopped.code == QUOTA
        assert plan["resumes"] == report["run_id"]
        assert plan["requests"] == _sent(source)


def test_a_plan_stores_nothing_and_says_what_the_quota_leaves(tmp_path: Path) -> None:
    with running(games=300) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url, {"RAWG_MONTHLY_QUOTA": "100"})
        plan = lake.must("ingest", "--dry-run")
        with lake.open() as opened, opened.database.reading() as unit:
            runs = unit.runs.list(5)

        assert plan["quota_left"] == 100 - _sent(source)
        assert plan["rows"] == 300
        assert runs == []
        assert raw_parts(lake, "any") == []
        assert lake.run("plan").json["requests"] == plan["requests"]
