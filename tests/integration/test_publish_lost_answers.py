"""When an answer is lost nobody knows what happened: look, then try again, and delete nothing.

Every operation of a publish fails once, before and after it took effect, in the ways that a
catalog behind a network can fail; the publish is then simply run again. However it went, each
table has exactly one snapshot of the run.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from publish_workers import contents, mixed
from publish_workers import publish as publish_tables
from pyiceberg.exceptions import CommitFailedException, ServerError
from referenced import referenced_files
from star_rows import genres

from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_record import RUN_PROPERTY
from etl.iceberg_verify import missing_files, record_mismatches
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils import seams
from utils.errors import GamelakeError
from utils.seams import Fault

FAULTS: dict[str, Callable[[], BaseException]] = {
    "409": lambda: CommitFailedException("409 (injected)"),
    "500": lambda: ServerError("500 (injected)"),
    "reset": lambda: ConnectionResetError("reset (injected)"),
    "timeout": lambda: TimeoutError("timeout (injected)"),
    "no space": lambda: OSError(28, "no space (injected)"),
}
TABLES = ("dim_genre", "fact_game_history")
EXPECTED = (OSError, CommitFailedException, ServerError, GamelakeError)


def publish(catalog: EmbeddedCatalog, run: str, number: int) -> None:
    publish_tables(catalog, run, number, tables=TABLES)


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedCatalog]:
    """A lake with one published run, tagged run-r0; the library retries without waiting."""
    monkeypatch.setattr("pyiceberg.table.time.sleep", lambda _: None)
    catalog = EmbeddedCatalog(LakePaths(tmp_path))
    publish(catalog, "r0", 0)
    yield catalog
    seams.arm(None)
    catalog.close()


def trace(catalog: EmbeddedCatalog) -> list[tuple[str, int]]:
    """Return the operations of one publish on top of run-r0, in order."""
    seams.arm(None, trace=True)
    publish(catalog, "traced", 1)
    found = seams.traced()
    seams.arm(None)
    return found


def snapshots_of(catalog: EmbeddedCatalog, run: str) -> dict[str, int]:
    """Count the snapshots of a run in each published table."""
    catalog.drop_branch("look")
    catalog.create_branch("look")
    tables = catalog.branch_tables("look")
    return {
        name: [
            snapshot.summary.additional_properties[RUN_PROPERTY]
            for snapshot in tables.load_table(("games", name)).snapshots()
        ].count(run)
        for name in TABLES
    }


def publish_through(catalog: EmbeddedCatalog, run: str, number: int, fault: Fault) -> None:
    """Publish while `fault` is armed, and again after it was cleared if that failed."""
    seams.arm(fault)
    try:
        publish(catalog, run, number)
    except EXPECTED:
        seams.arm(None)
        publish(catalog, run, number)
    finally:
        seams.arm(None)


def check(catalog: EmbeddedCatalog, run: str, number: int) -> None:
    """The run is published once, whole, and what came before is still there."""
    commit = catalog.pin("main")
    assert contents(commit) == {name: [number] for name in TABLES}
    assert not mixed(commit)
    assert record_mismatches(commit) == []
    assert snapshots_of(catalog, run) == dict.fromkeys(TABLES, 1)
    assert catalog.references()[f"run-{run}"].head == commit.head


@pytest.mark.crash
@pytest.mark.parametrize(
    "forever",
    [
        pytest.param(False, id="once"),
        pytest.param(True, id="for ever", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_lost_answer_loses_and_doubles_nothing(
    catalog: EmbeddedCatalog, kind: str, *, when: seams.When, forever: bool
) -> None:
    names = "*" if kind == "no space" else "catalog.*"
    points = [(n, i) for n, i in trace(catalog) if names == "*" or n.startswith("catalog.")]
    assert len(points) > 7
    before = referenced_files(catalog)["run-r0"]
    for number, (name, ordinal) in enumerate(points, start=1):
        catalog.assign("main", "run-r0")
        fault = Fault("error", when, name, ordinal, forever=forever, error=FAULTS[kind])
        run = f"{kind.replace(' ', '-')}-{number}"

        publish_through(catalog, run, number, fault)

        assert fault.fired, f"{name} {ordinal} never came"
        check(catalog, run, number)
    assert [path for path in before if not Path(path).exists()] == []
    assert missing_files(catalog) == []


def test_files_of_a_failed_publish_stay_while_nobody_knows(
    catalog: EmbeddedCatalog,
) -> None:
    catalog.create_branch("b")
    fault = Fault("error", "after", "catalog.commit", 1, forever=True, error=FAULTS["409"])
    seams.arm(fault)
    try:
        BranchWriter(catalog, "b").replace("dim_genre", genres(5), run_id="b")
    finally:
        seams.arm(None)

    assert fault.fired
    assert contents(catalog.pin("b"))["dim_genre"] == [5]
    assert missing_files(catalog) == []
