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
from publish_workers import (
    FEW_TABLES,
    append_rows,
    contents,
    mixed,
    poll,
    publish,
    publish_in,
)
from star_rows import genres, publish_record, star_rows

from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_schemas import TABLES
from etl.iceberg_verify import missing_files, record_mismatches
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
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
