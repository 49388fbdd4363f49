"""Many publishers and many readers at once: nothing lost, nothing mixed, older writers out."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import combinations
from multiprocessing import get_context
from pathlib import Path

import crash
import pytest
from publish_workers import append_rows, contents, mixed, poll, publish, publish_in
from star_rows import genres, publish_record, star_rows

from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_verify import missing_files
from etl.iceberg_writer import BranchWriter
from storage.layout import STAR, LakePaths
from utils.errors import Conflict
from utils.seams import Fault


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[EmbeddedCatalog]:
    catalog = EmbeddedCatalog(LakePaths(tmp_path / "lake"))
    yield catalog
    catalog.close()


def processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=get_context("forkserver"))


@pytest.mark.crash
def test_eight_processes_lose_no_commit(catalog: EmbeddedCatalog, tmp_path: Path) -> None:
    home = str(tmp_path / "lake")
    started = time.perf_counter()

    with processes(8) as pool:
        done = list(pool.map(append_rows, [home] * 8, range(8), [10] * 8))

    wanted = sorted(worker * 1000 + number for worker in range(8) for number in range(10))
    assert sum(done) == 80
    assert sorted(contents(catalog.pin("main"))["dim_genre"]) == wanted
    assert missing_files(catalog) == []
    print(f"80 of 80 in {time.perf_counter() - started:.1f} s")  # noqa: T201 - shown with -s


@pytest.mark.crash
@pytest.mark.parametrize(
    ("publishes", "killed"), [(100, 30), pytest.param(150, 50, marks=pytest.mark.nightly)]
)
def test_readers_see_one_run_of_the_whole_star(
    catalog: EmbeddedCatalog, tmp_path: Path, publishes: int, killed: int
) -> None:
    """Publishers are killed at any of their operations while two processes read."""
    home, stop = str(tmp_path / "lake"), tmp_path / "stop"
    publish(catalog, "first", 0, tables=STAR)  # which also creates the tables
    operations = len(crash.run(publish_in, home, "traced", 0, STAR).trace)
    dice = random.Random(5)
    victims = set(dice.sample(range(publishes), killed))
    deaths = 0
    with processes(2) as pool:
        readers = [pool.submit(poll, home, str(stop), 5_000) for _ in range(2)]
        try:
            for number in range(publishes):
                fault = None
                if number in victims:
                    when, where = dice.choice(("before", "after")), dice.randint(1, operations)
                    fault = Fault("kill", when, "*", where)
                deaths += publish_somehow(catalog, home, number, fault)
        finally:
            stop.touch()
        reports = [reader.result() for reader in readers]

    assert deaths == killed
    assert sum(report["reads"] for report in reports) >= 10_000
    assert sum(report["commits"] for report in reports) > 3
    assert [report["mixed"] for report in reports] == [0, 0]
    assert not mixed(catalog.pin("main"))
    assert missing_files(catalog) == []


def publish_somehow(catalog: EmbeddedCatalog, home: str, number: int, fault: Fault | None) -> bool:
    """Publish here, or in a child that `fault` kills; tell whether it was killed."""
    if fault is None:
        publish(catalog, f"r{number}", number, tables=STAR)
        return False
    return crash.run(publish_in, home, f"r{number}", number, STAR, fault=fault).killed


def test_a_mixed_star_would_be_noticed(catalog: EmbeddedCatalog) -> None:
    publish(catalog, "a", 1)
    start = catalog.create_branch("half").head
    writer = BranchWriter(catalog, "half")
    writer.replace("dim_genre", genres(2), run_id="half")
    writer.write_record(publish_record("half"))
    catalog.merge("half", expected_head=start, fence=1)

    assert mixed(catalog.pin("main"))


PHASES = 6
INTERLEAVINGS = list(combinations(range(2 * PHASES), PHASES))


def phases(
    catalog: EmbeddedCatalog, run: str, prepared: dict[str, str], *, fence: int
) -> Iterator[str]:
    """One publish in six steps; yields after each. Ends early when the merge conflicts."""
    start = catalog.create_branch(run).head
    yield "branch"
    tables = catalog.branch_tables(run)
    for name, location in prepared.items():
        tables.drop_table(("games", name))
        tables.register_table(("games", name), location)
        yield f"write {name}"
    BranchWriter(catalog, run).write_record(publish_record(run, fence=fence))
    yield "record"
    try:
        catalog.merge(run, expected_head=start, fence=fence)
    except Conflict:
        return
    yield "merged"
    catalog.tag(f"run-{run}", "main")
    yield "tagged"


def prepare(catalog: EmbeddedCatalog, run: str) -> dict[str, str]:
    """Write two tables once, so that the interleavings only move pointers to them."""
    catalog.create_branch(f"prepare-{run}")
    writer = BranchWriter(catalog, f"prepare-{run}")
    for name in ("dim_genre", "dim_store"):
        writer.replace(name, star_rows(name, [{}]), run_id=run)
    commit = catalog.pin(f"prepare-{run}")
    return {name: table.metadata_location for name, table in commit.tables.items()}


def interleave(steps_of_a: tuple[int, ...], a: Iterator[str], b: Iterator[str]) -> dict[str, int]:
    """Step both publishers in the given order; return the step at which each merged."""
    merged = {}
    for step in range(2 * PHASES):
        name, publisher = ("a", a) if step in steps_of_a else ("b", b)
        if next(publisher, "over") == "merged":
            merged[name] = step
    return merged


def expected(steps_of_a: tuple[int, ...], fence_a: int, fence_b: int) -> set[str]:
    """Say who may publish: who merges first, and who after that started afresh, if not fenced."""
    steps_of_b = tuple(s for s in range(2 * PHASES) if s not in steps_of_a)
    publishers = [("a", steps_of_a, fence_a), ("b", steps_of_b, fence_b)]
    first, second = sorted(publishers, key=lambda publisher: publisher[1][4])
    fresh = second[1][0] > first[1][4]
    return {first[0], second[0]} if fresh and second[2] >= first[2] else {first[0]}


@pytest.mark.parametrize(("fence_a", "fence_b"), [(1, 1), (1, 2)], ids=["peers", "zombie"])
def test_every_interleaving_of_two_publishers(
    catalog: EmbeddedCatalog, tmp_path: Path, fence_a: int, fence_b: int
) -> None:
    other = EmbeddedCatalog(LakePaths(tmp_path / "lake"))
    prepared = {name: prepare(catalog, name) for name in ("a", "b")}
    publish(catalog, "first", 1, tables=tuple(prepared["a"]), fence=0)
    outcomes = {1: 0, 2: 0}
    for number, steps_of_a in enumerate(INTERLEAVINGS):
        fences = (fence_a + 2 * number, fence_b + 2 * number)
        runs = {"a": f"a{number}", "b": f"b{number}"}
        a = phases(catalog, runs["a"], prepared["a"], fence=fences[0])
        b = phases(other, runs["b"], prepared["b"], fence=fences[1])

        merged = interleave(steps_of_a, a, b)

        assert set(merged) == expected(steps_of_a, *fences), steps_of_a
        last = max(merged, key=lambda name: merged[name])
        check_published(catalog, runs[last], prepared[last])
        outcomes[len(merged)] += 1
        for run in runs.values():
            catalog.drop_branch(run)
    assert len(INTERLEAVINGS) == 924
    assert sum(outcomes.values()) == 924
    assert min(outcomes.values()) > 0
    other.close()


def check_published(catalog: EmbeddedCatalog, run: str, prepared: dict[str, str]) -> None:
    """Main holds exactly the tables and the record of `run`, and so does its tag if any."""
    commit = catalog.pin("main")
    held = {name: table.metadata_location for name, table in commit.tables.items()}
    assert held == prepared
    assert commit.record is not None
    assert commit.record.run_id == run
