"""What the source says of its release years reaches raw with every run, and costs no request."""

from collections import Counter
from pathlib import Path

import pytest
from ingest_lab import AGAIN, FULL, Lab, lab
from simulated import pages

from ingestion import ingest_pipeline
from ingestion.context import IngestRequest
from storage.layout import SOURCE_RAWG, YEAR_COUNTS
from storage.raw_parts import RawPart, list_parts, part_problems
from storage.rebuild import rebuild_ledger
from utils.errors import Incomplete, Stopped

Years = dict[int | None, int]


def _parts(lake: Lab) -> list[RawPart]:
    found = list_parts(lake.store, SOURCE_RAWG, YEAR_COUNTS)
    assert [problem for part in found for problem in part_problems(lake.store, part)] == []
    return found


def _last(lake: Lab) -> Years:
    rows = lake.store.read_table([_parts(lake)[-1].key]).to_pylist()
    return {row["release_year"]: row["source_games"] for row in rows}


def _listed(lake: Lab) -> Years:
    """Count every row of the source's listing by its year."""
    rows = [row for page in pages(lake.simulator, ordering="created") for row in page["results"]]
    return dict(Counter(row["released"] and int(row["released"][:4]) for row in rows))


@pytest.mark.parametrize(
    "request_",
    [
        FULL,
        IngestRequest(full=True, strategy="browse"),
        IngestRequest(limit=20),
        IngestRequest(first="2019-01", last="2019-03"),
    ],
    ids=["dates", "browse", "limit", "range"],
)
def test_every_run_stores_the_size_of_each_year(tmp_path: Path, request_: IngestRequest) -> None:
    with lab(tmp_path, games=300) as lake:
        planned = lake.plan(request_)
        lake.requests()
        report = lake.ingest(request_)

        assert report.requests == planned.requests == sum(lake.requests().values())
        assert _last(lake) == _listed(lake)
        (part,) = _parts(lake)
        assert (part.manifest.run_id, part.manifest.listing) == (report.run_id, "browse")


def test_what_is_no_news_is_not_stored_again(tmp_path: Path) -> None:
    with lab(tmp_path, games=120) as lake:
        lake.ingest()
        lake.ingest()
        lake.ingest(AGAIN)
        assert len(_parts(lake)) == 1

        lake.simulator.control.add(released="1971-05-05")
        lake.ingest()

        assert len(_parts(lake)) == 2
        assert _last(lake) == _listed(lake)


def test_a_run_that_was_stopped_before_asks_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_: object) -> list[str]:
        raise Stopped("stopped", operation="ingest", subject="run")

    with lab(tmp_path, games=120) as lake:
        monkeypatch.setattr(ingest_pipeline, "read_year_counts", stopped)
        with pytest.raises(Stopped):
            lake.ingest()
        monkeypatch.undo()
        lake.simulator.control.add(released="1971-05-05")
        planned = lake.plan()
        lake.requests()
        report = lake.ingest()

        assert planned.resumes == report.run_id
        assert sum(lake.requests().values()) == planned.requests
        assert _last(lake) == _listed(lake)


def test_a_source_that_names_no_years_leaves_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lab(tmp_path, games=120) as lake:
        lake.ingest()
        known = _last(lake)
        monkeypatch.setattr("ingestion.rawg_pages._read_years", lambda _: ())
        lake.simulator.control.add(released="1971-05-05")
        lake.ingest()

        assert _last(lake) == known


def test_a_listing_that_is_not_believed_says_nothing_of_years(tmp_path: Path) -> None:
    with lab(tmp_path, games=120) as lake:
        lake.ingest()
        known = _last(lake)
        ids = sorted(lake.ids())
        lake.simulator.control.remove(ids[:60])
        with pytest.raises(Incomplete, match="far less than before"):
            lake.ingest()

        assert _last(lake) == known


def test_a_ledger_is_rebuilt_from_raw_that_holds_counts(tmp_path: Path) -> None:
    with lab(tmp_path, games=60) as lake:
        lake.ingest()
        rebuild_ledger(lake.store, lake.database)

        lake.check()
        with lake.database.reading() as unit:
            assert unit.ledger.count(SOURCE_RAWG, YEAR_COUNTS) == 0
