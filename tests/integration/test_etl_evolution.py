"""A version with more columns publishes upon an earlier one's lake, and old runs stay readable."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import ibis
import pytest
from etl_lake import EtlLake, open_lake_of
from ibis.expr.types import Table
from raw_builder import game

from etl.context import EtlRequest
from etl.expressions import shape
from etl.fact import fact_games
from etl.history import fact_game_history
from etl.iceberg_schemas import (
    FACT_GAME_HISTORY,
    FACT_GAMES,
    STRING,
    TABLES,
    Column,
    StarTable,
)
from etl.pipeline import run_etl
from etl.report import EtlReport
from etl.star import build_star
from gamelake import context
from gamelake.verify_star import star_is_consistent
from serving.lake import connect
from storage.layout import GAMES, run_tag
from utils.config import Settings, load_settings
from utils.errors import UsageError

PROFILES = ["embedded", pytest.param("stack", marks=pytest.mark.stack)]


def _wider(table: StarTable, name: str) -> StarTable:
    """Declare one more column, in the midst of the others."""
    columns = (*table.columns[:2], Column(name, STRING, "A new one."), *table.columns[2:])
    return replace(table, columns=columns)


COLOURED = _wider(FACT_GAMES, "colour")
NOTED = _wider(FACT_GAME_HISTORY, "note")


@pytest.fixture(params=PROFILES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    servers = request.getfixturevalue("stack_settings") if request.param == "stack" else {}
    return load_settings({**servers, "GAMELAKE_HOME": str(tmp_path / "home")}, None)


@pytest.fixture
def lake(settings: Settings) -> Iterator[EtlLake]:
    with open_lake_of(settings) as lake:
        yield lake


def coloured(latest: Table) -> Table:
    colours = latest.select(game_id=latest["id"], colour=latest["dominant_color"])
    return shape(fact_games(latest).join(colours, "game_id"), COLOURED)


def noted(games: Table) -> Table:
    return shape(fact_game_history(games).mutate(note=ibis.literal("seen")), NOTED)


def upgrade(patch: pytest.MonkeyPatch) -> None:
    """Become a version that declares and fills two more columns."""
    patch.setitem(TABLES, "fact_games", COLOURED)
    patch.setitem(TABLES, "fact_game_history", NOTED)
    patch.setattr("etl.star.fact_games", coloured)
    patch.setattr("etl.star.fact_game_history", noted)


def build(lake: EtlLake, *numbers: int, run: str = "") -> EtlReport:
    if numbers:
        rows = [
            game(n, at=int(run[-1]), dominant_color=f"c{n}", added=int(run[-1])) for n in numbers
        ]
        lake.add(run, GAMES, rows)
    return run_etl(lake.ctx, EtlRequest())


def read(settings: Settings, query: str, at: str | None = None) -> list[tuple[object, ...]]:
    with connect(settings, at) as engine:
        return engine.sql(query).fetchall()


def test_new_columns_are_filled_by_the_next_etl_and_earlier_runs_stay_as_they_were(
    lake: EtlLake, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(lake, 1, 2, run="r1")
    upgrade(monkeypatch)

    upgraded = build(lake)  # no raw is new
    assert (upgraded.mode, upgraded.published) == ("full", True)
    assert (upgraded.tables["fact_games"].added, upgraded.tables["fact_games"].removed) == (0, 0)
    assert build(lake).mode == "none"
    assert build(lake, 2, 3, run="r2").mode == "incremental"

    colours = "SELECT game_id, colour FROM fact_games ORDER BY 1"
    assert read(settings, colours) == [(1, "c1"), (2, "c2"), (3, "c3")]
    assert read(settings, colours, upgraded.run_id) == [(1, "c1"), (2, "c2")]
    assert read(settings, "SELECT DISTINCT note FROM fact_game_history") == [("seen",)]
    old = run_tag(first.run_id)
    assert read(settings, "SELECT game_id, slug FROM fact_games ORDER BY 1", old) == [
        (1, "game-1"),
        (2, "game-2"),
    ]
    columns = {name: t.schema.names for name, t in lake.ctx.catalog.pin(old).tables.items()}
    assert "colour" not in columns["fact_games"]


@contextmanager
def downgraded(patch: pytest.MonkeyPatch, absent: str) -> Iterator[None]:
    """Be a version that has no such table; afterwards the tables have their order again."""
    kept, whole_star = dict(TABLES), build_star
    del TABLES[absent]
    patch.setattr("etl.pipeline.STAR", tuple(TABLES))
    patch.setattr("etl.build.build_star", lambda i: {n: whole_star(i)[n] for n in TABLES})
    try:
        yield
    finally:
        TABLES.clear()
        TABLES.update(kept)


def test_a_commit_without_a_table_answers_what_it_can_and_can_be_rolled_back_to(
    lake: EtlLake, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, downgraded(patch, "fact_source_years"):
        first = build(lake, 1, run="r1")
    assert "fact_source_years" not in lake.ctx.catalog.pin("main").tables
    with context.open_lake(settings) as opened:
        assert list(star_is_consistent(opened)) == []

    games = "SELECT game_id FROM games_clean ORDER BY 1"
    assert read(settings, games) == [(1,)]
    with connect(settings) as engine:
        assert "catalogue_coverage" not in engine.views
        with pytest.raises(UsageError, match="catalogue_coverage does not exist"):
            engine.sql("SELECT * FROM catalogue_coverage")

    assert build(lake, 2, run="r2").mode == "full"
    assert read(settings, "SELECT loaded_games FROM catalogue_coverage") == [(2,)]
    assert read(settings, games, first.run_id) == [(1,)]
    lake.ctx.catalog.assign("main", run_tag(first.run_id), fence=lake.ctx.lease.epoch)
    assert read(settings, games) == [(1,)]
    assert (build(lake).mode, read(settings, games)) == ("full", [(1,), (2,)])


def test_columns_declared_in_another_order_are_the_same_columns(
    lake: EtlLake, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(lake, 1, 2, run="r1")
    history = "SELECT game_id, observed_at, rating, added_count FROM fact_game_history ORDER BY ALL"
    before = read(settings, history)
    other = replace(FACT_GAME_HISTORY, columns=FACT_GAME_HISTORY.columns[::-1])
    monkeypatch.setitem(TABLES, "fact_game_history", other)
    monkeypatch.setattr(
        "etl.star.fact_game_history", lambda games: shape(fact_game_history(games), other)
    )

    rebuilt = build(lake)
    tables = rebuilt.tables.values()
    assert {(table.added, table.removed) for table in tables} == {(0, 0)}
    assert read(settings, history) == before
    added = build(lake, 2, 3, run="r2")
    assert (added.mode, added.tables["fact_game_history"].removed) == ("incremental", 0)
    assert [row for row in read(settings, history) if row in before] == before


def test_an_older_version_refuses_the_tables_of_a_newer_and_changes_nothing(
    lake: EtlLake, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        upgrade(newer)
        build(lake, 1, run="r1")
        head = lake.ctx.catalog.pin("main").head

    with pytest.raises(UsageError, match="was written by another version") as caught:
        build(lake, 2, run="r2")

    assert "docs/runbook.md" in caught.value.hint
    assert lake.ctx.catalog.pin("main").head == head
    assert read(settings, "SELECT game_id FROM fact_games") == [(1,)]
