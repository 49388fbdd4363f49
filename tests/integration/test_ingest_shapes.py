"""Listings that lie or stop early: complete all the same, or incomplete and saying where."""

import json
from pathlib import Path
from typing import Any

import pytest
from acceptance_served import every_row, undated_rows
from ingest_lab import Lab, lab

from ingestion.context import IngestRequest
from ingestion.rawg_fetcher import RawgClient
from ingestion.report import IngestReport
from storage.layout import LOOKUPS
from utils.errors import Incomplete, QuotaSpent

RECONCILED: list[dict[str, Any]] = [
    {"page_cap": 15},
    {"end_page": 2},
    {"end_page": 1, "match": "dates"},
    {"null_next_page": 2},
    {"repeat_page": 1, "match": "dates"},
    {"repeat_page": 3, "match": "dates"},
    {"next_error_page": 1},
    {"count_lie": -30},
]
NOT_RECONCILED: list[dict[str, Any]] = [
    {"count_lie": 3},
    {"count_lie": 60},
    {"empty_listing": True, "match": "dates"},
    {"repeat_page": 1, "match": "released"},
]


@pytest.mark.parametrize("lies", RECONCILED, ids=str)
def test_everything_is_found(tmp_path: Path, lies: dict[str, Any]) -> None:
    with lab(tmp_path, games=400) as lake:
        lake.simulator.control.lie(**lies)

        assert lake.ingest().complete
        assert len(lake.ids()) == 400


@pytest.mark.parametrize("lies", NOT_RECONCILED, ids=str)
def test_what_cannot_be_found_is_said_and_found_later(tmp_path: Path, lies: dict[str, Any]) -> None:
    with lab(tmp_path, games=2_000) as lake:
        lake.simulator.control.lie(**lies)
        lake.requests()
        report = incomplete(lake)
        assert lake.requests()["listing"] < 400
        assert lake.state("watermark:rawg") is None
        assert "Not complete" in report

        lake.simulator.control.lie()
        assert lake.ingest().complete
        assert len(lake.ids()) == 2_000


def incomplete(lake: Lab) -> str:
    with pytest.raises(Incomplete) as caught:
        lake.ingest()
    lake.check()
    assert caught.value.exit_code == 8
    report = caught.value.report
    assert report is not None
    assert not report.as_dict()["complete"]
    return str(getattr(report, "statement", ""))


def test_rows_that_cannot_be_typed_are_quarantined_and_accounted_for(tmp_path: Path) -> None:
    with lab(tmp_path, games=200) as lake:
        lake.simulator.control.raw(3, b'{"id": "three", "name": 7}')
        lake.simulator.control.raw(9, b'{"slug": "no id"}')
        report = lake.ingest()

        assert (report.complete, report.quarantined, report.games_seen) == (True, 2, 200)
        assert len(lake.ids()) == 198
        keys = [i.key for i in lake.store.list("rawg/_quarantine/") if i.key.endswith(".parquet")]
        reasons = lake.store.read_table(keys, ["reason"])["reason"].to_pylist()
        assert len(reasons) == 2
        assert all(reasons)


@pytest.mark.parametrize("spoilt", [{"name": 7}, {"id": "seven"}], ids=["with id", "nameless"])
def test_a_bad_row_that_is_read_again_hides_no_missing_game(
    tmp_path: Path, spoilt: dict[str, Any]
) -> None:
    """The undated games have no count of their own: only the run's total tells that some lack."""
    with lab(tmp_path, games=60, seed=4) as lake:
        first, *_, last = undated_rows(lake.simulator, 42)
        lake.simulator.control.raw(first["id"], json.dumps(first | spoilt).encode())
        lake.simulator.control.lie(match="ordering=released", end_page=1)
        assert "1 quarantined" in incomplete(lake)
        assert last["id"] not in lake.ids()

        lake.simulator.control.lie()
        report = lake.ingest()
        assert (report.complete, report.quarantined) == (True, 1)
        assert len(lake.ids()) == report.games_seen - 1 == report.games_new


def test_games_that_another_run_read_in_between_hide_no_missing_game(tmp_path: Path) -> None:
    with lab(tmp_path, games=60, seed=4) as lake:
        *first, last = undated_rows(lake.simulator, 42)
        for row in first[:20]:
            lake.simulator.control.change(row["id"], touch=False, added=10**6)
        lake.simulator.control.lie(match="ordering=released", end_page=1)
        incomplete(lake)
        assert lake.ingest(IngestRequest(limit=20)).games_unchanged > 2
        assert last["id"] not in lake.ids()
        incomplete(lake)

        lake.simulator.control.lie()
        assert lake.ingest().complete
        assert last["id"] in lake.ids()


def test_a_bad_row_of_a_range_stays_counted_when_another_run_reads_it_mended(
    tmp_path: Path,
) -> None:
    years = IngestRequest(first="1990-01", last="2030-12")
    with lab(tmp_path, games=400, settings={"rawg_monthly_quota": 9}) as lake:
        rows = {row["id"]: row for row in every_row(lake.simulator)}
        popular = sorted(rows, key=lambda ident: -rows[ident]["added"])[:40]
        for ident in popular:
            lake.simulator.control.raw(ident, json.dumps(rows[ident] | {"name": 7}).encode())
        with pytest.raises(QuotaSpent) as caught:
            lake.ingest(years)
        assert isinstance(caught.value.report, IngestReport)
        assert caught.value.report.quarantined > 0

        lake.settings["rawg_monthly_quota"] = 0
        for ident in popular:
            lake.simulator.control.raw(ident, json.dumps(rows[ident]).encode())
        assert lake.ingest(IngestRequest(limit=40)).games_new == 40
        assert lake.ingest(years).complete


@pytest.mark.parametrize("profile", ["recorded", "storm"])
def test_faults_of_the_wire_lose_nothing(tmp_path: Path, profile: str) -> None:
    with lab(tmp_path, games=800, faults=profile, settings={"rawg_timeout_s": 2}) as lake:
        assert lake.ingest().complete
        assert len(lake.ids()) == 800


def test_the_key_is_in_no_file(tmp_path: Path) -> None:
    key = "canary-5e1f7c"
    with lab(tmp_path, games=100, key=key, settings={"rawg_api_key": key}) as lake:
        lake.ingest()

        assert key not in lake.everything()


def test_bad_rows_of_look_ups_are_told_apart_from_games(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookup_of = RawgClient.lookup

    def with_bad_row(self: RawgClient, entity: str) -> bytes:
        return lookup_of(self, entity).replace(b"[", b'[{"id": "none"},', 1)

    monkeypatch.setattr(RawgClient, "lookup", with_bad_row)
    with lab(tmp_path, games=60) as lake:
        report = lake.ingest()
        assert (report.complete, report.quarantined, report.games_seen) == (True, 0, 60)
        assert report.lookups_quarantined == len(LOOKUPS)
        assert f"{len(LOOKUPS)} rows of look-ups" in report.statement
        assert lake.ingest().lookups_quarantined == len(LOOKUPS)
