"""Invariants of the published tables."""

from collections.abc import Iterator

import duckdb

from etl.build import open_published
from etl.checks import consistency_checks
from etl.engine import BuildEngine
from etl.local_copies import LocalCopies
from gamelake.context import Lake
from quality.checks import failures, run_checks
from storage.layout import MAIN
from storage.scratch import ScratchFolder
from utils.errors import ServiceDown


def star_is_consistent(lake: Lake) -> Iterator[str]:
    """Yield keys that repeat or do not join."""
    main = lake.catalog.pin(MAIN)
    if not main.tables:
        return
    try:
        with ScratchFolder(lake.paths.scratch) as scratch, BuildEngine(scratch.path) as engine:
            copies = LocalCopies(lake.raw, lake.catalog.files, scratch.path)
            star = open_published(engine, copies, main, MAIN)
            checks = consistency_checks(star, changed=star.keys())
            for result in failures(run_checks(engine, checks)):
                yield result.describe()
    except (duckdb.Error, ServiceDown) as error:
        yield f"the tables cannot be read: {error}"
