"""Whatever interrupts a run, the same command goes on with the same run and loses nothing."""

import threading
from pathlib import Path

import pytest
from ingest_lab import Lab, lab

from ingestion.report import IngestReport
from utils import seams
from utils.errors import GamelakeError, Incomplete, QuotaSpent, Stopped
from utils.progress import ProgressSnapshot


class StopAfter:
    """A progress listener that presses Ctrl-C once a run has sent some requests."""

    def __init__(self, requests: int, stop: threading.Event) -> None:
        self._requests = requests
        self._stop = stop

    def update(self, snapshot: ProgressSnapshot) -> None:
        if snapshot.requests >= self._requests:
            self._stop.set()


def interrupted(lake: Lab, kind: type[GamelakeError]) -> IngestReport:
    with pytest.raises(kind) as caught:
        lake.ingest()
    assert isinstance(caught.value.report, IngestReport)
    return caught.value.report


def test_a_spent_quota_pauses_and_the_next_month_goes_on(tmp_path: Path) -> None:
    with lab(tmp_path, games=600, settings={"rawg_monthly_quota": 12}) as lake:
        paused = interrupted(lake, QuotaSpent)
        assert (paused.state, paused.requests) == ("paused", 12)
        assert lake.state("watermark:rawg") is None

        lake.settings["rawg_monthly_quota"] = 0
        lake.requests()
        report = lake.ingest()

        assert (report.run_id, report.complete) == (paused.run_id, True)
        assert lake.requests()["listing"] == 17 - paused.pages  # 15 pages, probe, total
        assert len(lake.column("id")) == 600


def test_ctrl_c_keeps_what_was_read(tmp_path: Path) -> None:
    with lab(tmp_path, games=2_000, latency_ms=20) as lake:
        lake.progress = StopAfter(15, lake.stop)
        stopped = interrupted(lake, Stopped)
        assert stopped.state == "paused"
        assert 0 < stopped.pages < 51

        lake.stop.clear()
        lake.progress = StopAfter(10_000, lake.stop)
        report = lake.ingest()

        assert (report.run_id, report.games_new, report.complete) == (stopped.run_id, 2_000, True)
        assert report.pages == 51


def test_a_page_that_stays_unreadable_makes_the_run_incomplete(tmp_path: Path) -> None:
    with lab(tmp_path, games=400, settings={"rawg_attempts": 2}) as lake:
        match = "ordering=created&page=3&"
        lake.simulator.control.page_fault(match, "html", times=1_000)
        broken = interrupted(lake, Incomplete)
        assert (broken.complete, broken.games_new) == (False, 360)
        quarantine = lake.store.list("rawg/_quarantine/")
        assert any(info.key.endswith(".parquet") for info in quarantine)

        lake.simulator.control.faults("none")
        lake.requests()
        report = lake.ingest()

        assert (report.run_id, report.complete, report.games_seen) == (broken.run_id, True, 400)
        assert lake.requests() == {"listing": 2}  # the page, and the total once more


def test_one_broken_answer_is_no_reason_to_be_incomplete(tmp_path: Path) -> None:
    with lab(tmp_path, games=400, settings={"rawg_attempts": 1}) as lake:
        lake.simulator.control.page_fault("ordering=created&page=3&", "html", times=1)

        assert lake.ingest().complete


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "name", ["spool.append", "spool.sync", "spool.delete", "store.put", "db.commit"]
)
@pytest.mark.parametrize("ordinal", [1, 4])
def test_an_operation_that_fails_once(tmp_path: Path, name: str, when: str, ordinal: int) -> None:
    with lab(tmp_path, games=300, settings={"rawg_workers": 2}) as lake:
        ordinal = {"spool.delete": 1, "db.commit": ordinal + 2}.get(name, ordinal)
        fault = seams.Fault("error", when, name, ordinal)  # type: ignore[arg-type]
        seams.arm(fault)
        try:
            with pytest.raises(GamelakeError) as caught:
                lake.ingest()
        finally:
            seams.arm(None)
        assert fault.fired == 1
        assert caught.value.hint

        report = lake.ingest()

        assert report.complete or report.scope == "delta"
        assert len(lake.column("id")) == len(lake.ids()) == 300


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with lab(tmp_path, games=2_000, latency_ms=20) as lake:
        refused: list[int] = []

        def second(snapshot: ProgressSnapshot) -> None:
            if snapshot.requests >= 5 and not refused:
                refused.append(0)
                with pytest.raises(GamelakeError) as caught:
                    Lab(lake.home, lake.simulator, lake.database).ingest()
                refused[0] = caught.value.exit_code

        listener = StopAfter(10_000, lake.stop)
        listener.update = second  # type: ignore[method-assign]
        lake.progress = listener
        lake.ingest()

        assert refused == [6]
