"""Incremental etl equals a rebuild, bit for bit: values, keys and lineage, on the whole pipeline.

Sequences of inserts, updates, late and repeated pages and schema drift; after every crawl an etl,
with its own choice of how to build. In most of them the tables lie in files of a few rows, so that
a delta rewrites some and leaves others. test_etl_incremental_equals_full does the same for the
definitions alone, faster and with stranger values.
"""

import shutil
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from etl_lake import EtlLake, manifest, open_lake
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from lakes import hurry
from raw_builder import raw_table
from raw_sequences import Crawl, quarantined, sequences
from small_files import KEPT, REWRITTEN, files_of

from etl.context import EtlRequest
from etl.pipeline import run_etl
from storage.layout import GAMES
from storage.raw_parts import write_part

Star = dict[str, list[dict[str, Any]]]
EACH = 10  # sequences in a piece: so many that some keep files and some rewrite them
PIECES, NIGHTLY = 3, 47  # 500 sequences in all
FILES = st.sampled_from([None, 2, 2, 3, 3])  # rows in each; None leaves a table in one


def _store(lake: EtlLake, crawl: Crawl, run_id: str) -> None:
    games = crawl.games(run_id) if crawl.pages else None
    tables = {} if games is None else {GAMES: games}
    for entity, rows in crawl.others.items():
        tables[entity] = raw_table(entity, [{**row, "_run_id": run_id} for row in rows])
    for entity, table in tables.items():
        write_part(lake.ctx.raw, table, manifest(table, entity, run_id, 1))


def _step_by_step(home: Path, crawls: list[Crawl]) -> tuple[Star, list[str]]:
    modes = []
    with open_lake(home) as lake:
        for number, crawl in enumerate(crawls):
            _store(lake, crawl, f"r{number}")
            modes.append(run_etl(lake.ctx, EtlRequest()).mode)
        return lake.star(), modes


def _at_once(home: Path, raw: Path) -> Star:
    shutil.copytree(raw, home / "raw")
    with open_lake(home) as lake:
        run_etl(lake.ctx, EtlRequest(full=True))
        return lake.star()


PARAMETERS = [
    *range(PIECES),
    *(pytest.param(n, marks=pytest.mark.nightly) for n in range(PIECES, PIECES + NIGHTLY)),
]


@pytest.mark.parametrize("piece", PARAMETERS)
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # hypothesis, of whole pages
def test_any_sequence_of_crawls_gives_the_star_of_one_rebuild(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    counts: Counter[str] = Counter()

    @seeded(piece)
    @settings(
        max_examples=EACH,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
        database=None,
    )
    @given(sequences(), FILES)
    def check(crawls: list[Crawl], file_rows: int | None) -> None:
        with TemporaryDirectory() as folder:
            small = nullcontext(Counter[str]()) if file_rows is None else files_of(file_rows, 2)
            with small as found:
                stepped, modes = _step_by_step(Path(folder, "stepped"), crawls)
            counts.update(found)
            event(f"modes {'+'.join(modes)}")
            event(f"quarantined: {quarantined(crawls) > 0}")
            if not Path(folder, "stepped", "raw").is_dir():
                return
            assert stepped == _at_once(Path(folder, "rebuilt"), Path(folder, "stepped", "raw"))

    check()
    assert min(counts[KEPT], counts[REWRITTEN]) > 0
