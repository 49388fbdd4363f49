"""Faults, a spent quota, a wrong key: the star is the same in the end, and nobody is misled."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from acceptance_lake import raw_ids, raw_parts, star_of
from acceptance_served import dated_pages, every_row, lookup_pages, undated_pages
from lakes import KEY, LakeUnderTest, hurry
from oracle import Oracle, Star
from simulated import running
from star_difference import compare

from simulator.config import FaultProfile
from simulator.process import SimulatorProcess

SOURCE, QUOTA, INCOMPLETE = 3, 4, 8
WORKERS = 4
PATIENT = {"RAWG_WORKERS": str(WORKERS), "RAWG_TIMEOUT_S": "1"}
LINEAGE = frozenset({"run_id", "observed_at", "payload_hash"})
WITH_A_LONG_OUTAGE = 32  # this seed has 18 failures in a row, the longest that was recorded
QUOTA_GIVEN = 60


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture(scope="module")
def recorded(recorded_data: Path) -> Iterator[SimulatorProcess]:
    with running(replay=recorded_data / "rawg/pages") as simulator:
        yield simulator


@pytest.fixture(scope="module")
def expected(recorded: SimulatorProcess) -> Star:
    """The star of the rows as served without faults."""
    oracle = Oracle().feed(lookup_pages(recorded, "any"))
    return oracle.feed(dated_pages(recorded, "any")).feed(undated_pages(recorded, "any")).star()


@pytest.mark.recorded
@pytest.mark.xdist_group("recorded faults")
@pytest.mark.parametrize("profile", ["recorded", "storm"])
def test_under_faults_the_star_is_that_of_the_rows_as_served(
    recorded: SimulatorProcess,
    expected: Star,
    profile: FaultProfile,
    tmp_path: Path,
) -> None:
    lake = LakeUnderTest(tmp_path / "lake", recorded.base_url, PATIENT)
    recorded.control.reset_counters()
    recorded.control.faults(profile, seed=WITH_A_LONG_OUTAGE)
    told = lake.run("ingest")
    fired = recorded.control.counters()["faults"]
    recorded.control.faults("none")
    if told.code == INCOMPLETE:
        lake.must("ingest")
    lake.must("etl")

    assert sum(fired.values()) > 18
    assert told.code in (0, INCOMPLETE)
    assert compare(star_of(lake), expected, ignore=LINEAGE) == []
    assert lake.broken() == []


@pytest.mark.parametrize("whose", ["source", "ours"])
def test_a_spent_quota_is_a_stop_that_a_resume_finishes_without_reading_a_page_twice(
    whose: str, tmp_path: Path
) -> None:
    """The source's quota, soft at its edge; or RAWG_MONTHLY_QUOTA, which is never passed."""
    with running(games=4_000, depth_limit=500, quota=QUOTA_GIVEN if whose == "source" else 0) as s:
        settings = {"RAWG_WORKERS": str(WORKERS), "RAWG_DEPTH_LIMIT": "500"}
        limited = LakeUnderTest(tmp_path / "lake", s.base_url, settings)
        if whose == "ours":
            limited = limited.but(RAWG_MONTHLY_QUOTA=str(QUOTA_GIVEN))
        told = limited.run("ingest")
        sent = s.control.counters()["quota_spent"]
        stopped = limited.run("status").json
        done = _pages_in_raw(limited)

        s.control.set(quota=0)
        s.control.reset_counters()
        finished = limited.but(RAWG_MONTHLY_QUOTA="0").must("ingest")

        assert told.code == QUOTA
        assert sent == QUOTA_GIVEN if whose == "ours" else QUOTA_GIVEN < sent < QUOTA_GIVEN + 50
        assert done
        assert _pages_asked(s) & done == set()
        assert finished["complete"]
        assert finished["run_id"] in str(stopped)
        assert raw_ids(limited) == {row["id"] for row in every_row(s)}
        assert limited.broken() == []


def _pages_in_raw(lake: LakeUnderTest) -> set[tuple[str, int]]:
    with lake.open() as opened, opened.database.reading() as unit:
        run_id = unit.runs.list(1)[0].run_id
    pages = [page for part in raw_parts(lake, run_id) for page in part.manifest.pages]
    return {(page.window, page.page) for page in pages}


def _pages_asked(source: SimulatorProcess) -> set[tuple[str, int]]:
    asked = set()
    for query in source.control.counters()["pages"]:
        params = parse_qs(query)
        dates, ordering = (params.get(name, [""])[0] for name in ("dates", "ordering"))
        window = f"dates:{dates.replace(',', '..')}" if dates else ordering
        asked.add((window.replace("released", "undated"), int(params["page"][0])))
    return asked


def test_a_wrong_key_is_one_clear_line_and_nothing_is_written(tmp_path: Path) -> None:
    with running(games=100, key="the right one") as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        told = lake.run("ingest")
        requests = source.control.counters()["kinds"]

    assert told.code == SOURCE
    assert told.json["code"] == "source"
    assert "key" in told.json["error"].lower()
    assert "\n" not in told.json["error"]
    assert len([line for line in told.err.splitlines() if line.startswith("error")]) == 1
    assert requests == {"refused": 1}
    assert not lake.home.exists()
    assert KEY not in told.out + told.err
