"""Tables in many small files, as large ones have them, and a count of what deltas do to them."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from ibis.expr.types import Table

from etl.engine import BuildEngine
from etl.engine_contract import Delta
from etl.iceberg_files import Target
from etl.iceberg_schemas import TABLES
from etl.iceberg_writer import BranchWriter

# Only tables whose rows belong to one game each are ever rewritten in part.
OF_GAMES = [name for name, table in TABLES.items() if "game_id" in table.key]
KEPT, REWRITTEN = "files kept", "files rewritten"


@contextmanager
def files_of(rows: int, small: int) -> Iterator[Counter[str]]:
    """Let files of games have `rows` rows at most; a delta takes those under `small` along.

    DuckDB itself fills a file with 2,048 rows at least: what it wrote is divided, in its order.
    Gives a count of the files that deltas found, by what they did to them.
    """
    replace_by, touched = BranchWriter.replace_by, BuildEngine._in_touched_files
    counts: Counter[str] = Counter()

    def divided(
        writer: BranchWriter, name: str, write: Callable[[Target], object], **how: Any
    ) -> object:
        def write_and_divide(target: Target) -> None:
            write(target)
            if name in OF_GAMES:
                for path in sorted(Path(target.path).iterdir()):
                    _divide(path, rows)

        return replace_by(writer, name, write_and_divide, **how)

    def counted(engine: BuildEngine, delta: Delta) -> tuple[Table, list[str]]:
        content, gone = touched(engine, delta)
        counts.update({REWRITTEN: len(gone), KEPT: len(delta.files) - len(gone)})
        return content, gone

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BranchWriter, "replace_by", divided)
        patch.setattr(BuildEngine, "_in_touched_files", counted)
        patch.setattr("etl.engine.SMALL_ROWS", small)
        yield counts


def _divide(path: Path, rows: int) -> None:
    whole = pq.read_table(path)
    path.unlink()
    for first in range(0, whole.num_rows, rows):
        piece = path.with_name(f"{path.stem}-{first:05}.parquet")
        pq.write_table(whole.slice(first, rows), piece)
