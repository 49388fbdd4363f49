"""A defect of ours is told as one wherever it shows, and what was read is kept."""

import threading
from pathlib import Path

import pytest
from lakes import LakeUnderTest
from simulated import running

from ingestion.rawg_fetcher import ListingQuery, Page
from ingestion.source import Source
from ingestion.workers import raise_first
from utils.errors import QuotaSpent, Stopped


def test_a_defect_in_a_worker_is_exit_1_with_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page_of = Source.page

    def broken(self: Source, query: ListingQuery, number: int) -> Page:
        if threading.current_thread() is not threading.main_thread() and number == 3:
            raise KeyError("odd")
        return page_of(self, query, number)

    with running(games=200) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        with monkeypatch.context() as patch:
            patch.setattr(Source, "page", broken)
            told = lake.run("ingest")
        assert (told.code, told.json["code"]) == (1, "defect")
        assert "KeyError: 'odd'" in told.err
        (file,) = lake.home.glob("logs/defect-*.txt")
        assert str(file) in told.err
        assert "in broken" in file.read_text()

        assert lake.must("ingest")["games_seen"] == 200
        assert lake.broken() == []


def test_of_several_errors_the_one_that_says_most_is_told() -> None:
    stopped, quota = Stopped("", operation=""), QuotaSpent("", operation="")
    disk, defect = OSError("full"), KeyError("odd")
    ranked = [stopped, quota, disk, defect]
    for most in range(len(ranked)):
        with pytest.raises(type(ranked[most])):
            raise_first(ranked[: most + 1])
    raise_first([])
