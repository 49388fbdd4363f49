"""A table that another engine commits: one snapshot a run, whatever becomes of the answer."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from star_rows import genres

from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils.errors import ServiceDown

DOWN = ServiceDown("Spark failed", operation="build", subject="spark")


@dataclass
class Elsewhere:
    """An engine that writes dim_genre's keys 1 to 3; it raises `before` or `after`, in order."""

    catalog: EmbeddedCatalog
    before: list[Exception | None] = field(default_factory=list)
    after: list[Exception | None] = field(default_factory=list)
    calls: int = 0

    def __call__(self) -> None:
        self.calls += 1
        _raise(self.before)
        BranchWriter(self.catalog, "b").replace("dim_genre", genres(1, 2, 3), run_id="r")
        _raise(self.after)


def _raise(errors: list[Exception | None]) -> None:
    if errors and (error := errors.pop(0)):
        raise error


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[EmbeddedCatalog]:
    with closing(EmbeddedCatalog(LakePaths(tmp_path))) as catalog:
        catalog.create_branch("b")
        yield catalog


def written(catalog: EmbeddedCatalog, engine: Callable[[], None]) -> tuple[int, int]:
    """Let the engine write; return the table's rows and snapshots."""
    result = BranchWriter(catalog, "b").replace_elsewhere("dim_genre", engine, run_id="r")
    table = catalog.branch_tables("b").load_table(("games", "dim_genre"))
    return result.rows, len(table.snapshots())


def test_it_is_written_once_a_run(catalog: EmbeddedCatalog) -> None:
    engine = Elsewhere(catalog)

    assert written(catalog, engine) == (3, 1)
    assert written(catalog, engine) == (3, 1)
    assert engine.calls == 1


@pytest.mark.parametrize("error", [DOWN, ConnectionResetError("injected")])
def test_a_lost_answer_is_looked_for(catalog: EmbeddedCatalog, error: Exception) -> None:
    engine = Elsewhere(catalog, after=[error])

    assert written(catalog, engine) == (3, 1)
    assert engine.calls == 1


def test_what_did_not_happen_is_tried_once_more(catalog: EmbeddedCatalog) -> None:
    engine = Elsewhere(catalog, before=[DOWN])

    assert written(catalog, engine) == (3, 1)
    assert engine.calls == 2


def test_what_fails_twice_is_told(catalog: EmbeddedCatalog) -> None:
    engine = Elsewhere(catalog, before=[DOWN, DOWN])

    with pytest.raises(ServiceDown, match="Spark failed"):
        written(catalog, engine)

    table = catalog.branch_tables("b").load_table(("games", "dim_genre"))
    assert table.current_snapshot() is None
