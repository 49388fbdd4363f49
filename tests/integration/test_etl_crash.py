"""An etl that breaks at any outside effect leaves main whole, and the next one finishes the job."""

from pathlib import Path

import pytest
from etl_lake import EtlLake, open_lake
from raw_builder import game, lookup, named, platform

from etl.context import EtlRequest
from etl.pipeline import run_etl
from gamelake.__main__ import run as cli
from storage.database.repositories.runs import Run
from storage.database.writer import hold_writer
from storage.layout import MAIN, etl_branch, run_tag
from utils import seams
from utils.errors import GamelakeError

DELTA = EtlRequest()


def _load(lake: EtlLake) -> None:
    lake.add("r1", "platforms", [lookup(4, "PC", at=1)])
    lake.add("r1", "games", [game(1, at=2, platforms=[platform(4)]), game(2, at=2)])
    run_etl(lake.ctx, DELTA)
    lake.add("r2", "games", [game(2, at=3, added=5, genres=[named(7)]), game(3, at=3)])


def _trace(home: Path) -> list[tuple[str, int]]:
    """Return the outside effects of an incremental etl, the first and last of each kind."""
    with open_lake(home) as lake:
        _load(lake)
        seams.arm(None, trace=True)
        run_etl(lake.ctx, DELTA)
        seen = seams.traced()
        seams.arm(None)
    ends = [ordinal for name, ordinal in seen if name == "db.commit"]
    assert ends == [*range(1, len(ends) + 1)]
    return sorted({min(pairs) for pairs in _by_name(seen)} | {max(p) for p in _by_name(seen)})


def _by_name(seen: list[tuple[str, int]]) -> list[list[tuple[str, int]]]:
    return [[pair for pair in seen if pair[0] == name] for name in {name for name, _ in seen}]


# pyiceberg leaves a file open when closing it fails, as it does here on purpose.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.crash
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_next_etl_finishes_what_a_broken_one_began(tmp_path: Path, when: seams.When) -> None:
    points = _trace(tmp_path / "trace")
    with open_lake(tmp_path / "trace") as lake:
        expected = lake.star()

    for name, ordinal in points:
        with open_lake(tmp_path / f"{name}-{ordinal}") as lake:
            _load(lake)
            before = lake.star()
            fault = seams.Fault("error", when, name, ordinal, forever=True)
            seams.arm(fault)
            assert "injected" in _told(lake, fault), (name, ordinal)
            assert fault.fired, (name, ordinal)
            assert lake.star() in (before, expected), (name, ordinal)
            run_etl(lake.ctx, DELTA)
            assert lake.star() == expected, (name, ordinal)
            assert not [n for n in lake.ctx.catalog.references() if n.startswith("etl-")]


def _told(lake: EtlLake, fault: seams.Fault) -> str:
    """Run an etl with that fault; return the error, or what it left to the next run."""
    seams.arm(fault)
    try:
        return run_etl(lake.ctx, DELTA).deferred
    except (OSError, GamelakeError, RuntimeError) as error:
        return str(error)
    finally:
        seams.arm(None)


def _break_at(lake: EtlLake, monkeypatch: pytest.MonkeyPatch, step: str) -> str:
    """Run an etl that dies at `step` without a chance to note it; return its run id."""
    with monkeypatch.context() as patch:
        patch.setattr(f"etl.pipeline.{step}", _die)
        patch.setattr("etl.run_log._fail", lambda *_: None)
        with pytest.raises(_PowerCutError):
            run_etl(lake.ctx, DELTA)
    with lake.ctx.database.reading() as unit:
        return unit.runs.list(limit=1, kind="etl")[0].run_id


class _PowerCutError(Exception):
    pass


def _die(*_args: object, **_kwargs: object) -> None:
    raise _PowerCutError


def _ordinal_in_publish(home: Path, what: int) -> int:
    """Return the number of that commit of the catalog's in an etl, -1 for the last."""
    with open_lake(home) as lake:
        _load(lake)
        seams.arm(None, trace=True)
        run_etl(lake.ctx, DELTA)
        ordinals = [ordinal for name, ordinal in seams.traced() if name == "catalog.commit"]
        seams.arm(None)
    return ordinals[what]


def _newest(lake: EtlLake) -> Run:
    with lake.ctx.database.reading() as unit:
        return unit.runs.list(limit=1, kind="etl")[0]


def test_a_publish_whose_tag_is_refused_is_completed_and_the_next_run_tags_it(
    tmp_path: Path,
) -> None:
    tagged = _ordinal_in_publish(tmp_path / "trace", -1)
    with open_lake(tmp_path / "lake") as lake:
        _load(lake)
        seams.arm(seams.Fault("error", "before", "catalog.commit", tagged, forever=True))
        try:
            report = run_etl(lake.ctx, DELTA)
        finally:
            seams.arm(None)

        run, tag = _newest(lake), run_tag(report.run_id)
        assert (report.state, report.published) == ("completed", True)
        assert "the next run" in report.deferred
        assert (run.state, run.summary["published"]) == ("completed", True)
        assert tag not in lake.ctx.catalog.references()

        again = run_etl(lake.ctx, DELTA)

        references = lake.ctx.catalog.references()
        assert (again.mode, again.deferred) == ("none", "")
        assert references[tag].head == references[MAIN].head
        assert etl_branch(report.run_id) not in references


def test_a_merge_that_happened_without_an_answer_is_a_publish_for_the_next_run(
    tmp_path: Path,
) -> None:
    merged = _ordinal_in_publish(tmp_path / "trace", -2)
    with open_lake(tmp_path / "lake") as lake:
        _load(lake)
        head = lake.ctx.catalog.references()[MAIN].head
        fault = seams.Fault("error", "after", "catalog.commit", merged, forever=True)
        assert "injected" in _told(lake, fault)
        lost = _newest(lake)
        assert lake.ctx.catalog.references()[MAIN].head != head
        assert lost.state == "failed"

        run_etl(lake.ctx, DELTA)

        assert run_tag(lost.run_id) in lake.ctx.catalog.references()
        with lake.ctx.database.reading() as unit:
            settled = unit.runs.get(lost.run_id)
        assert (settled.state, settled.summary["published"]) == ("completed", True)


def _state(lake: EtlLake, run_id: str) -> str:
    with lake.ctx.database.reading() as unit:
        return unit.runs.get(run_id).state


def test_a_run_that_died_before_its_merge_failed_and_leaves_no_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_lake(tmp_path) as lake:
        _load(lake)
        dead = _break_at(lake, monkeypatch, "_merge")
        assert etl_branch(dead) in lake.ctx.catalog.references()

        report = run_etl(lake.ctx, DELTA)

        assert report.mode == "incremental"
        assert _state(lake, dead) == "failed"
        assert etl_branch(dead) not in lake.ctx.catalog.references()


def test_a_run_that_died_after_its_merge_is_completed_and_tagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_lake(tmp_path) as lake:
        _load(lake)
        dead = _break_at(lake, monkeypatch, "run_tag")
        assert run_tag(dead) not in lake.ctx.catalog.references()

        report = run_etl(lake.ctx, DELTA)

        references = lake.ctx.catalog.references()
        assert report.mode == "none"
        assert _state(lake, dead) == "completed"
        assert references[run_tag(dead)].head == references[MAIN].head
        assert etl_branch(dead) not in references


@pytest.mark.parametrize("lost", ["store", "lease"])
def test_a_publish_that_cannot_be_noted_is_told_as_one_and_the_next_run_notes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    def refuse(*_: object) -> str:
        if lost == "store":
            seams.arm(seams.Fault("error", "before", "db.commit", 1, forever=True))
        else:
            _take_over(lake)
        return ""

    with open_lake(tmp_path) as lake:
        _load(lake)
        before = lake.ctx.catalog.references()[MAIN].head
        with monkeypatch.context() as patch:
            patch.setattr("etl.pipeline._tag", refuse)
            report = run_etl(lake.ctx, DELTA)
        seams.arm(None)

        assert (report.state, report.published) == ("completed", True)
        assert "the next run notes that this one has published" in report.deferred
        assert lake.ctx.catalog.references()[MAIN].head == report.commit != before
        assert _state(lake, report.run_id) == "running"

    with open_lake(tmp_path) as lake:
        assert run_etl(lake.ctx, DELTA).mode == "none"
        assert _state(lake, report.run_id) == "completed"


def _take_over(lake: EtlLake) -> None:
    """Let the lease end and another writer take it, and end too."""
    with lake.ctx.database.unit_of_work() as unit:
        unit.leases.release(lake.ctx.lease)
    with hold_writer(lake.ctx.database):
        pass


def test_a_rollback_first_tags_what_a_run_published_that_died_before_it_could(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_lake(tmp_path) as lake:
        lake.add("r1", "games", [game(1, at=1)])
        first = run_etl(lake.ctx, DELTA)
        lake.add("r2", "games", [game(2, at=2)])
        dead = _break_at(lake, monkeypatch, "run_tag")
        published = lake.ctx.catalog.references()[MAIN].head

    environ = {"GAMELAKE_HOME": str(tmp_path)}
    assert cli(["rollback", first.run_id, "--yes", "-q"], environ) == 0

    with open_lake(tmp_path) as lake:
        assert lake.ctx.catalog.references()[MAIN].head == first.commit
        assert lake.ctx.catalog.references()[run_tag(dead)].head == published
        run_etl(lake.ctx, DELTA)
        assert _state(lake, dead) == "completed"
        assert lake.ctx.catalog.references()[run_tag(dead)].head == published
