"""Invariants of the published tables."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from etl.build import open_published
from etl.checks import consistency_checks
from etl.engine import BuildEngine
from etl.local_copies import LocalCopies
from gamelake.context import Lake, existing_folder
from quality.checks import failures, run_checks
from storage.layout import MAIN
from storage.scratch import ScratchFolder
from utils.errors import Damaged


def star_is_consistent(lake: Lake) -> Iterator[str]:
    """Yield keys that repeat or do not join."""
    main = lake.catalog.pin(MAIN)
    if not main.tables:
        return
    try:
        with _scratch(lake.paths.scratch) as scratch, BuildEngine(scratch) as engine:
            copies = LocalCopies(lake.raw, lake.catalog.files, scratch)
            star = open_published(engine, copies, main, MAIN)
            checks = consistency_checks(star, changed=star.keys())
            for result in failures(run_checks(engine, checks)):
                yield result.describe()
    except (duckdb.Error, Damaged) as error:
        yield f"the tables cannot be read: {error}"


@contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    """Give a folder to work in: the lake's, or the system's for a lake that is only to be read."""
    if os.access(existing_folder(root), os.W_OK):
        with ScratchFolder(root) as scratch:
            yield scratch.path
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
