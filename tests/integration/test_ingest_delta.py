"""After a full run, only what changed is read, and never less than that."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ingest_lab import FULL, lab
from lakes import LakeUnderTest
from simulated import running
from truth import listed_ids, stored_ids

from ingestion.context import IngestRequest
from utils.clock import SystemClock
from utils.errors import GamelakeError, Incomplete, QuotaSpent


def test_changed_and_added_games_are_found(tmp_path: Path) -> None:
    with lab(tmp_path, games=500) as lake:
        lake.ingest()
        lake.simulator.control.advance(3 * 86_400)
        changed = set(lake.simulator.control.churn(90))
        added = lake.simulator.control.add(name="Brand new")
        report = lake.ingest()

        assert (report.scope, report.games_changed, report.games_new) == ("delta", 90, 1)
        stored = lake.column("id")[500:]
        assert set(stored) == changed | {added}
        assert len(stored) == 91


def test_a_change_inside_the_overlap_is_not_missed(tmp_path: Path) -> None:
    with lab(tmp_path, games=300) as lake:
        lake.ingest()
        watermark = lake.state("watermark:rawg") or ""
        late = (datetime.fromisoformat(watermark) - timedelta(hours=5)).isoformat()
        lake.simulator.control.change(7, touch=False, added=12_345, updated=late)

        assert lake.ingest().games_changed == 1
        assert lake.state("watermark:rawg") == watermark


def test_limit_and_months_never_move_the_watermark(tmp_path: Path) -> None:
    with lab(tmp_path, games=300) as lake:
        lake.ingest()
        before = lake.state("watermark:rawg")
        lake.simulator.control.advance(2 * 86_400)
        lake.simulator.control.churn(150)
        lake.ingest(IngestRequest(limit=10))
        lake.ingest(IngestRequest(first="2020-01", last="2020-12"))
        assert lake.state("watermark:rawg") == before

        lake.ingest()
        assert (lake.state("watermark:rawg") or "") > (before or "")
        assert lake.ingest().games_changed == 0


def test_an_interrupted_delta_goes_on_and_only_then_moves_the_watermark(tmp_path: Path) -> None:
    with lab(tmp_path, games=800) as lake:
        lake.ingest()
        before = lake.state("watermark:rawg")
        lake.simulator.control.advance(2 * 86_400)
        changed = lake.simulator.control.churn(400)
        lake.requests()
        spent = 32  # of this month so far; more than any run here needs
        with lake.database.reading() as unit:
            spent = max(run.summary["requests"] for run in unit.runs.list())
        lake.settings["rawg_monthly_quota"] = spent + 5 + 4
        with pytest.raises(QuotaSpent) as caught:
            lake.ingest()
        paused = caught.value.report
        assert paused is not None
        assert lake.state("watermark:rawg") == before
        sent = lake.requests()["listing"]

        lake.settings["rawg_monthly_quota"] = 0
        report = lake.ingest()

        assert report.run_id == paused.as_dict()["run_id"]
        assert report.games_changed == len(changed)
        assert sent + lake.requests()["listing"] <= 11 + 1  # pages, and the last one as a probe


def test_a_future_update_moves_the_watermark_to_now_at_most(tmp_path: Path) -> None:
    with lab(tmp_path, games=100) as lake:
        lake.simulator.control.change(5, touch=False, updated="2099-01-01T00:00:00")
        lake.ingest()

        assert (lake.state("watermark:rawg") or "9") <= datetime.now(UTC).isoformat()
        assert lake.ingest().games_new == 0


def test_a_listing_that_lost_a_fifth_is_held(tmp_path: Path) -> None:
    with lab(tmp_path, games=200) as lake:
        lake.ingest()
        lake.simulator.control.remove(sorted(lake.ids())[:50])
        with pytest.raises(Incomplete, match="held"):
            lake.ingest()

        assert len(lake.ids()) == 200
        assert lake.ingest(IngestRequest(full=True)).complete
        assert len(lake.ids()) == 200


@pytest.mark.parametrize("strategy", ["dates", "browse"])
def test_games_that_move_while_they_are_read_are_not_lost(tmp_path: Path, strategy: str) -> None:
    with lab(tmp_path, games=600, drift=50) as lake:
        report = lake.ingest(IngestRequest(strategy=strategy))  # type: ignore[arg-type]

        assert report.complete
        assert len(lake.ids()) == 600


def test_games_that_appear_while_a_run_is_paused_are_found(tmp_path: Path) -> None:
    with lab(tmp_path, games=400, settings={"rawg_monthly_quota": 9}) as lake:
        with pytest.raises(GamelakeError):
            lake.ingest()
        added = lake.simulator.control.add(name="Late", released="2015-05-05")
        lake.settings["rawg_monthly_quota"] = 0
        lake.ingest()
        lake.ingest(FULL)

        assert added in lake.ids()
        assert len(lake.ids()) == 401


def test_the_clock_may_step_back(tmp_path: Path) -> None:
    class Back(SystemClock):
        def now(self) -> datetime:
            return super().now() - timedelta(days=2)

    with lab(tmp_path, games=200) as lake:
        lake.ingest()
        lake.clock = Back()
        lake.simulator.control.advance(86_400)
        lake.simulator.control.churn(20)
        lake.ingest()

        stamps = lake.column("_fetched_at")
        assert stamps == sorted(stamps)
        assert lake.parts()[0].manifest.run_id < lake.parts()[-1].manifest.run_id


def test_a_source_that_really_shrank_is_believed_by_a_full_run(tmp_path: Path) -> None:
    with running(games=120) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        assert lake.must("ingest")["games_new"] == 120
        source.control.remove(sorted(listed_ids(source))[:30])
        for _ in range(2):  # waiting does not help
            held = lake.run("ingest")
            assert held.code == 8
            assert "held" in held.json["error"]
            assert "`gamelake ingest --full`" in held.json["hint"]

        assert lake.must("ingest", "--full")["complete"]
        assert lake.must("ingest")["complete"]  # the run that was held
        source.control.churn(3)
        assert lake.must("ingest")["games_changed"] == 3
        assert len(stored_ids(lake)) == 120
