"""Unit tests of the ETL's parts (S002-39): which raw is new, how to build, what joins what.

What each table says is tested in tests/unit/test_star_*.py, the whole run in
tests/integration/test_etl_*.py.
"""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import duckdb
import ibis
import pytest
from etl_lake import manifest
from ibis.expr.types import Table
from raw_builder import Row, game, lookup, raw_table
from star_builder import inputs

from etl.engine import BuildEngine
from etl.iceberg_catalog import PinnedCatalog, PublishRecord
from etl.iceberg_evolution import declared_shape
from etl.iceberg_schemas import TABLES
from etl.incremental import affected_games, carried_over, is_per_game, rows_missing
from etl.pipeline import build_mode
from etl.raw_source import RawSelection, select_raw
from etl.star import build_star
from storage.layout import GAMES, STAR
from storage.object_store import LocalFolderStore
from storage.raw_parts import write_part
from utils.errors import UsageError

FIRST_RUN = {"games/r1": 2, "platforms/r1": 1}
BOTH_RUNS = {**FIRST_RUN, "games/r2": 1}


@pytest.fixture
def store(tmp_path: Path) -> LocalFolderStore:
    return LocalFolderStore(tmp_path / "raw")


def _add(
    store: LocalFolderStore, run_id: str, rows: list[Row], *, number: int = 1, entity: str = GAMES
) -> None:
    table = raw_table(entity, rows)
    write_part(store, table, manifest(table, entity, run_id, number))


def _record(applied: Mapping[str, int]) -> PublishRecord:
    return PublishRecord("e1", "full", dict(applied), {}, {}, "", 1, declared_shape())


def _mode(
    store: LocalFolderStore,
    applied: dict[str, int] | None,
    *,
    full: bool = False,
    tables: tuple[str, ...] = STAR,
) -> str:
    record = None if applied is None else _record(applied)
    main = SimpleNamespace(record=record, tables=dict.fromkeys(tables))
    return build_mode(cast(PinnedCatalog, main), select_raw(store, record), full=full)


def _numbers(selection: RawSelection, entity: str = GAMES) -> list[tuple[str, int]]:
    return [(part.manifest.run_id, part.manifest.number) for part in selection.new[entity]]


@pytest.fixture
def two_runs(store: LocalFolderStore) -> LocalFolderStore:
    _add(store, "r1", [game(1, at=1)])
    _add(store, "r1", [game(2, at=2)], number=2)
    _add(store, "r1", [lookup(4, "PC", at=3)], entity="platforms")
    _add(store, "r2", [game(1, at=9)])
    return store


def test_before_the_first_publish_all_raw_is_new(two_runs: LocalFolderStore) -> None:
    raw = select_raw(two_runs, None)

    assert _numbers(raw) == [("r1", 1), ("r1", 2), ("r2", 1)]
    assert raw.new_rows == 4
    assert raw.applied() == {"games/r1": 2, "games/r2": 1, "platforms/r1": 1}


def test_what_the_record_names_is_not_new(two_runs: LocalFolderStore) -> None:
    raw = select_raw(two_runs, _record({"games/r1": 1, "platforms/r1": 1}))

    assert _numbers(raw) == [("r1", 2), ("r2", 1)]
    assert _numbers(raw, "platforms") == []
    assert not raw.forgotten


def test_raw_can_be_taken_up_to_a_run(two_runs: LocalFolderStore) -> None:
    raw = select_raw(two_runs, _record(BOTH_RUNS), "r1")

    assert _numbers(raw) == []
    assert raw.forgotten
    assert raw.applied() == {"games/r1": 2, "platforms/r1": 1}


def test_a_run_that_stored_nothing_cannot_be_asked_for(two_runs: LocalFolderStore) -> None:
    with pytest.raises(UsageError, match="no ingest run r9"):
        select_raw(two_runs, None, "r9")


def test_pages_older_than_what_is_applied_are_late(two_runs: LocalFolderStore) -> None:
    assert not select_raw(two_runs, _record(FIRST_RUN)).late
    assert select_raw(two_runs, _record({"games/r2": 1})).late
    assert not select_raw(two_runs, None).late


def test_parts_without_rows_are_never_late(two_runs: LocalFolderStore) -> None:
    _add(two_runs, "r3", [])

    raw = select_raw(two_runs, _record(BOTH_RUNS))

    assert (raw.new_rows, raw.late) == (0, False)


@pytest.mark.parametrize(
    ("applied", "mode"),
    [
        (None, "full"),
        (FIRST_RUN, "incremental"),
        (BOTH_RUNS, "none"),
        ({"games/r2": 1}, "full"),  # what is new is late
        ({**BOTH_RUNS, "games/r2": 2}, "full"),  # a part that is applied is gone
    ],
)
def test_the_mode_follows_from_record_and_raw(
    two_runs: LocalFolderStore, applied: dict[str, int] | None, mode: str
) -> None:
    assert _mode(two_runs, applied) == mode


def test_a_full_build_can_be_asked_for(two_runs: LocalFolderStore) -> None:
    assert _mode(two_runs, FIRST_RUN, full=True) == "full"
    assert _mode(two_runs, BOTH_RUNS, full=True) == "full"


def test_a_table_that_is_missing_asks_for_a_full_build(two_runs: LocalFolderStore) -> None:
    assert _mode(two_runs, FIRST_RUN, tables=STAR[:-1]) == "full"


def test_when_most_rows_are_new_a_full_build_is_cheaper(
    two_runs: LocalFolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.pipeline.BULK_ROWS", 0)
    assert _mode(two_runs, FIRST_RUN) == "incremental"

    _add(two_runs, "r3", [game(9, at=99)])
    assert _mode(two_runs, FIRST_RUN) == "full"


def test_a_lake_without_raw_has_nothing_to_build(store: LocalFolderStore) -> None:
    assert _mode(store, None, full=True) == "none"


def _games(column: str, *ids: int) -> Table:
    return ibis.literal([*ids]).unnest().name(column).as_table()


def test_rows_of_affected_games_are_replaced_the_others_stay(tmp_path: Path) -> None:
    published = _games("game_id", 1, 2, 3).mutate(was=ibis.literal("old"))
    rebuilt = _games("game_id", 2, 2).mutate(was=ibis.literal("new"))

    with BuildEngine(tmp_path) as engine:
        affected = engine.keep("affected", affected_games(_games("id", 2, 3, 3)))
        content = carried_over(published, affected, rebuilt).order_by("game_id")
        rows = [(row["game_id"], row["was"]) for row in engine.rows(content)]

    assert rows == [(1, "old"), (2, "new"), (2, "new")]


def test_a_null_equals_a_null_when_rows_are_compared(tmp_path: Path) -> None:
    before = _games("id", 1, 2).mutate(day=ibis.literal(None, "date"))
    after = _games("id", 2, 3).mutate(day=ibis.literal(None, "date"))

    with BuildEngine(tmp_path) as engine:
        assert engine.rows(rows_missing(after, before)) == [{"id": 3, "day": None}]


def test_what_is_not_of_single_games_is_rebuilt_whole() -> None:
    whole = {name for name, declared in TABLES.items() if not is_per_game(declared)}

    assert whole == {name for name in STAR if name.startswith("dim_")} | {"fact_source_years"}


def test_every_declared_table_is_built_with_its_declared_columns() -> None:
    with duckdb.connect() as connection:
        star = build_star(inputs(connection, [], {}))

    assert set(star) == set(TABLES)
    for name, definition in star.items():
        assert list(definition.columns) == TABLES[name].arrow().names


class _SparkOptions(ibis.config.Config):
    treat_nan_as_null: bool = False


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_every_definition_compiles_for_both_engines(
    dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ibis registers these options only where pyspark is installed.
    monkeypatch.setattr(ibis.options, "pyspark", _SparkOptions())
    with duckdb.connect() as connection:
        star = build_star(inputs(connection, [], {}))

    for definition in star.values():
        assert "SELECT" in str(ibis.to_sql(definition, dialect=dialect))
