"""One behaviour suite for every catalog: the embedded one, and Nessie with MinIO.

Two openings of the same lake stand for two processes.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from star_rows import genres, publish_record, star_rows

from etl.iceberg_catalog import LakeCatalog, open_catalog
from etl.iceberg_writer import BranchWriter
from utils.config import load_settings
from utils.errors import Conflict, UsageError

CATALOGS = [
    pytest.param("embedded"),
    pytest.param("stack", marks=pytest.mark.stack),
]
Opener = Callable[[], LakeCatalog]


@pytest.fixture(params=CATALOGS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the lake once more at each call; all are closed at the end."""
    catalogs: list[LakeCatalog] = []
    servers = request.getfixturevalue("stack_settings") if request.param == "stack" else {}
    settings = load_settings({**servers, "GAMELAKE_HOME": str(tmp_path / "lake")}, None)

    def opener() -> LakeCatalog:
        catalogs.append(open_catalog(settings))
        return catalogs[-1]

    yield opener
    for catalog in catalogs:
        catalog.close()


@pytest.fixture
def catalog(opened: Opener) -> LakeCatalog:
    return opened()


def publish(catalog: LakeCatalog, run: str, *keys: int, fence: int = 1) -> str:
    """Publish dim_genre with these keys as run `run`; return main's new head."""
    start = build(catalog, run, *keys, fence=fence)
    catalog.merge(f"etl-{run}", expected_head=start, fence=fence)
    catalog.drop_branch(f"etl-{run}")
    return catalog.tag(f"run-{run}", "main").head


def build(catalog: LakeCatalog, run: str, *keys: int, fence: int = 1) -> str:
    """Write dim_genre with these keys on branch etl-`run`; return the head it started from."""
    start = catalog.create_branch(f"etl-{run}").head
    writer = BranchWriter(catalog, f"etl-{run}")
    writer.replace("dim_genre", genres(*keys), run_id=run)
    writer.write_record(publish_record(run, fence=fence))
    return start


def keys(catalog: LakeCatalog, ref: str) -> list[int]:
    """Return dim_genre's keys on `ref`, read from the files a reader would open."""
    table = catalog.pin(ref).tables.get("dim_genre")
    if table is None:
        return []
    files = catalog.files.dataset([file.path for file in table.data_files], table.schema)
    return sorted(files.to_table(["genre_key"])["genre_key"].to_pylist())


def test_a_new_lake_has_an_empty_main(catalog: LakeCatalog) -> None:
    assert [(ref.name, ref.kind) for ref in catalog.references().values()] == [("main", "branch")]
    assert catalog.pin("main").tables == {}
    assert catalog.pin("main").record is None


def test_what_a_branch_writes_main_does_not_see(catalog: LakeCatalog) -> None:
    before = catalog.references()["main"].head

    build(catalog, "a", 1, 2)

    assert catalog.references()["main"].head == before
    assert (keys(catalog, "etl-a"), keys(catalog, "main")) == ([1, 2], [])


def test_a_merge_publishes_tables_and_record_together(catalog: LakeCatalog) -> None:
    publish(catalog, "a", 1, 2)

    commit = catalog.pin("main")

    assert keys(catalog, "main") == [1, 2]
    assert commit.record == publish_record("a")
    assert commit.tables["dim_genre"].properties["gamelake.run-id"] == "a"


def test_tables_that_a_branch_leaves_alone_stay_published(catalog: LakeCatalog) -> None:
    publish(catalog, "a", 1)
    start = catalog.create_branch("etl-b").head
    BranchWriter(catalog, "etl-b").replace(
        "dim_store", star_rows("dim_store", [{"store_key": 7}]), run_id="b"
    )
    catalog.merge("etl-b", expected_head=start, fence=1)

    assert sorted(catalog.pin("main").tables) == ["dim_genre", "dim_store"]
    assert keys(catalog, "main") == [1]


def test_a_commit_is_seen_by_who_opened_before(opened: Opener) -> None:
    writer, reader = opened(), opened()
    assert reader.pin("main").tables == {}

    publish(writer, "a", 1)

    assert keys(reader, "main") == [1]


def test_a_pinned_commit_does_not_change(catalog: LakeCatalog) -> None:
    publish(catalog, "a", 1)
    pinned = catalog.pin("main")

    publish(catalog, "b", 2)

    assert pinned.tables["dim_genre"].properties["gamelake.run-id"] == "a"
    assert [file.rows for file in pinned.tables["dim_genre"].data_files] == [1]


def test_the_second_of_two_builders_conflicts_and_main_stays(opened: Opener) -> None:
    one, two = opened(), opened()
    start_one, start_two = build(one, "a", 1), build(two, "b", 2)
    one.merge("etl-a", expected_head=start_one, fence=1)

    with pytest.raises(Conflict):
        two.merge("etl-b", expected_head=start_two, fence=1)

    assert keys(one, "main") == [1]


def test_a_branch_that_started_elsewhere_cannot_overwrite_what_came_later(
    catalog: LakeCatalog,
) -> None:
    build(catalog, "old", 1)
    head = publish(catalog, "new", 2)

    with pytest.raises(Conflict):
        catalog.merge("etl-old", expected_head=head, fence=1)

    assert keys(catalog, "main") == [2]


def test_the_fence_is_the_highest_that_moved_main_also_after_a_rollback(
    catalog: LakeCatalog,
) -> None:
    assert catalog.fence() == 0
    publish(catalog, "a", 1, fence=4)
    publish(catalog, "b", 2, fence=6)
    assert catalog.fence() == 6
    catalog.assign("main", "run-a", fence=9)
    assert catalog.fence() == 9


def test_an_older_fence_cannot_publish_after_a_newer_one_not_even_after_a_rollback(
    catalog: LakeCatalog,
) -> None:
    publish(catalog, "a", 1, fence=1)
    start = build(catalog, "zombie", 9, fence=2)
    publish(catalog, "b", 2, fence=3)
    catalog.assign("main", "run-a")
    assert catalog.references()["main"].head == start

    with pytest.raises(Conflict, match="newer writer"):
        catalog.merge("etl-zombie", expected_head=start, fence=2)

    assert keys(catalog, "main") == [1]


def test_a_merge_asked_again_answers_the_same(catalog: LakeCatalog) -> None:
    start = build(catalog, "a", 1)
    first = catalog.merge("etl-a", expected_head=start, fence=1)

    assert catalog.merge("etl-a", expected_head=start, fence=1) == first


def test_rollback_makes_every_table_and_the_record_that_of_the_tag(catalog: LakeCatalog) -> None:
    head = publish(catalog, "a", 1)
    publish(catalog, "b", 2)

    rolled = catalog.assign("main", "run-a")

    assert (rolled.head, keys(catalog, "main")) == (head, [1])
    assert catalog.pin("main").record == publish_record("a")
    assert keys(catalog, "run-b") == [2]
    publish(catalog, "c", 3)
    assert keys(catalog, "main") == [3]


def test_assign_by_an_older_writer_is_refused(catalog: LakeCatalog) -> None:
    publish(catalog, "a", 1, fence=5)
    publish(catalog, "b", 2, fence=6)

    with pytest.raises(Conflict):
        catalog.assign("main", "run-a", fence=5)

    assert keys(catalog, "main") == [2]
    catalog.assign("main", "run-a", fence=7)
    start = build(catalog, "late", 4, fence=6)
    with pytest.raises(Conflict):
        catalog.merge("etl-late", expected_head=start, fence=6)


def test_a_tag_never_changes(catalog: LakeCatalog) -> None:
    publish(catalog, "a", 1)
    head = catalog.references()["run-a"].head
    publish(catalog, "b", 2)

    for change in (
        lambda: catalog.assign("run-a", "main"),
        lambda: catalog.drop_branch("run-a"),
        lambda: BranchWriter(catalog, "run-a"),
        lambda: catalog.merge("run-b", onto="run-a", expected_head=head, fence=1),
    ):
        with pytest.raises(UsageError):
            change()
    with pytest.raises(Conflict):
        catalog.tag("run-a", "main")
    with pytest.raises(Conflict):
        catalog.create_branch("run-a")

    assert catalog.references()["run-a"].head == head


def test_main_is_neither_written_nor_dropped(catalog: LakeCatalog) -> None:
    with pytest.raises(UsageError):
        BranchWriter(catalog, "main")
    with pytest.raises(UsageError):
        catalog.drop_branch("main")


def test_what_exists_with_the_same_content_may_be_made_again(catalog: LakeCatalog) -> None:
    publish(catalog, "a", 1)

    assert catalog.tag("run-a", "main") == catalog.tag("run-a", "main")
    assert catalog.create_branch("x") == catalog.create_branch("x")
    catalog.drop_branch("x")
    catalog.drop_branch("x")
    assert "x" not in catalog.references()


def test_a_branch_that_holds_something_else_is_not_taken_over(catalog: LakeCatalog) -> None:
    build(catalog, "a", 1)

    with pytest.raises(Conflict):
        catalog.create_branch("etl-a")

    assert keys(catalog, "etl-a") == [1]


def test_an_unknown_reference_is_named_with_those_that_exist(catalog: LakeCatalog) -> None:
    asks: list[Callable[[], object]] = [
        lambda: catalog.pin("nowhere"),
        lambda: catalog.create_branch("x", "nowhere"),
        lambda: catalog.tag("x", "nowhere"),
        lambda: catalog.assign("main", "nowhere"),
        lambda: catalog.merge("nowhere", expected_head="", fence=1),
        lambda: catalog.branch_tables("nowhere"),
    ]
    for ask in asks:
        with pytest.raises(UsageError, match="nowhere") as caught:
            ask()
        assert "main" in caught.value.hint
    assert list(catalog.references()) == ["main"]


def test_dropping_a_branch_leaves_every_file(catalog: LakeCatalog) -> None:
    build(catalog, "a", 1)
    before = catalog.files.sizes()

    catalog.drop_branch("etl-a")

    assert {place.rpartition(".")[2] for place in before} == {"parquet", "avro", "json"}
    assert catalog.files.sizes() == before
