"""What a command has done is told, also when what comes after it fails."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lakes import LakeUnderTest
from simulated import running

from gamelake import __main__ as command_line
from gamelake import run as steps
from gamelake.fetching import fetch
from ingestion.report import IngestReport
from utils.errors import ChecksFailed


def _check_fails(*_: Any) -> None:
    raise ChecksFailed("a check failed", operation="etl", hint="gamelake runs show ID")


def _stopped(*_: Any) -> None:
    signal.raise_signal(signal.SIGINT)


def _full(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def _wrong(*_: Any) -> None:
    raise ValueError("ours")


@pytest.mark.parametrize(
    ("fails", "code"), [(_check_fails, 5), (_stopped, 130), (_full, 7), (_wrong, 1)]
)
def test_a_run_tells_what_it_fetched_whatever_happens_to_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[..., None], code: int
) -> None:
    monkeypatch.setattr(steps, "run_etl", fails)
    with running(games=30) as source:
        told = LakeUnderTest(tmp_path / "lake", source.base_url).run("run")

    assert told.code == code
    assert told.json["error"]
    assert told.json["ingest"]["games_seen"] == told.json["ingest"]["games_new"] == 30
    assert told.err.count("Fetched 30 games") == told.err.count("Complete: ") == 1


def test_ctrl_c_in_the_last_moment_of_an_ingest_begins_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch_and_press(*asked: Any) -> IngestReport:
        report = fetch(*asked)
        with asked[1].interrupts.graceful():
            signal.raise_signal(signal.SIGINT)
        return report

    monkeypatch.setattr(steps, "fetch", fetch_and_press)
    monkeypatch.setattr(steps, "run_etl", _wrong)
    with running(games=30) as source:
        told = LakeUnderTest(tmp_path / "lake", source.base_url).run("run")

    assert (told.code, told.json["ingest"]["complete"]) == (130, True)


def test_a_daily_run_notices_that_what_is_published_is_lost(tmp_path: Path) -> None:
    with running(games=30) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        lake.must("run")
        assert lake.must("run")["etl"]["mode"] == "none"
        with lake.open() as opened:
            metadata = Path(opened.catalog.pin("main").tables["dim_tag"].metadata_location)
        metadata.rename(metadata.with_suffix(".away"))
        one_lost = lake.run("etl")
        shutil.rmtree(lake.home / "warehouse")
        all_lost, daily = lake.run("etl"), lake.run("run")

    assert one_lost.json["error"].endswith("no metadata of dim_tag")
    assert "gamelake verify" in one_lost.json["hint"]
    assert [told.code for told in (one_lost, all_lost, daily)] == [7, 7, 7]
    assert daily.json["ingest"]["complete"] is True
    assert daily.json["subject"] == all_lost.json["subject"]


def test_where_nothing_was_fetched_the_build_says_what_is_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gamelake.terminal.program_name", lambda: "gamelake")
    lake = LakeUnderTest(tmp_path / "lake", "http://127.0.0.1:1/api")
    (lake.home / "raw").mkdir(parents=True)

    assert lake.must("etl")["published"] is False
    assert command_line.run(["etl"], lake.environ) == 0

    told = capsys.readouterr()
    assert told.out.startswith("Nothing is published yet")
    assert "gamelake sql" not in told.err
    assert "gamelake ingest" in told.err.partition("Next:")[2]
