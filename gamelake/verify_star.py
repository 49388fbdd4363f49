"""Invariants of the published tables."""

from collections.abc import Iterator

import duckdb

from etl.build import open_published
from etl.checks import consistency_checks
from etl.engine import BuildEngine
from etl.iceberg_schemas import TABLES
from etl.local_copies import LocalCopies
from gamelake.context import Lake
from quality.checks import failures, run_checks
from storage.layout import MAIN
from storage.scratch import ScratchFolder
from utils.errors import ServiceDown


def star_is_consistent(lake: Lake) -> Iterator[str]:
    """Yield keys that repeat or do not join, and tables that a published star lacks."""
    main = lake.catalog.pin(MAIN)
    if not main.tables:
        return
    if absent := sorted(TABLES.keys() - main.tables.keys()):
        yield f"tables are missing: {', '.join(absent)}"
        return
    try:
        with ScratchFolder(lake.paths.scratch) as scratch, BuildEngine(scratch.path) as engine:
            copies = LocalCopies(lake.raw, lake.catalog.files, scratch.path)
            star = open_published(engine, copies, main, MAIN)
            for result in failures(run_checks(engine, consistency_checks(star))):
                yield result.describe()
    except (duckdb.Error, ServiceDown) as error:
        yield f"the tables cannot be read: {error}"
