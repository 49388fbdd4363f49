"""A lake of the stack, from raw in MinIO by etl to SQL: publish, time travel, rollback, verify."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from etl_lake import EtlLake, open_lake_of
from raw_builder import game

from etl.context import EtlRequest
from etl.pipeline import run_etl
from gamelake.context import open_lake
from gamelake.lake_status import read_status
from gamelake.verify import verify
from serving.lake import connect
from storage.layout import GAMES
from testbed.stack import Stack
from utils.config import Settings, load_settings
from utils.errors import ServiceDown, UsageError

pytestmark = pytest.mark.stack


@pytest.fixture
def settings(stack_settings: dict[str, str], tmp_path: Path) -> Settings:
    return load_settings({**stack_settings, "GAMELAKE_HOME": str(tmp_path / "home")}, None)


@pytest.fixture
def published(settings: Settings) -> Iterator[list[str]]:
    """Two publishes: one game, then two. Their commits as `etl --json` reports them."""
    with open_lake_of(settings) as lake:
        yield [publish(lake, "run-1", 1), publish(lake, "run-2", 1, 2)]


def publish(lake: EtlLake, run_id: str, *games: int) -> str:
    rows = [game(number, at=int(run_id[-1]), added=number) for number in games]
    lake.add(run_id, GAMES, rows)
    return run_etl(lake.ctx, EtlRequest()).commit


def games(settings: Settings, at: str | None = None) -> list[int]:
    with connect(settings, at) as engine:
        rows = engine.sql("SELECT game_id FROM fact_games ORDER BY 1").fetchall()
    return [int(number) for (number,) in rows]


def runs(settings: Settings) -> list[str]:
    with open_lake(settings) as lake:
        return sorted(name for name in lake.catalog.references() if name.startswith("run-"))


def test_what_was_published_is_read_now_by_run_and_by_commit(
    settings: Settings, published: list[str]
) -> None:
    first, second = runs(settings)
    assert games(settings) == [1, 2]
    assert games(settings, first) == games(settings, first.removeprefix("run-")) == [1]
    assert games(settings, second) == [1, 2]
    assert [games(settings, commit) for commit in published] == [[1], [1, 2]]
    for unknown in ("nowhere", "f" * 40, "f" * 64):
        with pytest.raises(UsageError, match=unknown):
            connect(settings, unknown)


def test_a_rollback_moves_readers_and_the_next_build_goes_on_from_there(
    settings: Settings, published: list[str]
) -> None:
    with open_lake(settings) as lake:
        lake.catalog.assign("main", runs(settings)[0], fence=99)
    assert games(settings) == [1]
    assert published[0] == pinned_head(settings)


def pinned_head(settings: Settings) -> str:
    with connect(settings) as engine:
        return engine.head


def test_verify_and_status_read_the_buckets(settings: Settings, published: list[str]) -> None:
    with open_lake(settings) as lake:
        # The literal raw of this test accounts for no pages.
        assert {finding.name for finding in verify(lake).broken} <= {"parts", "rows"}
        status = read_status(lake)
    assert status.bytes_raw > 0
    assert status.bytes_warehouse > 0
    assert status.published is not None
    assert (status.published.games, status.published.commit) == (2, published[1])


@pytest.mark.usefixtures("published")
def test_verify_names_a_file_of_a_table_that_is_gone(settings: Settings, stack: Stack) -> None:
    with open_lake(settings) as lake:
        location = lake.catalog.pin("main").tables["fact_games"].data_files[0].path
        key = location.removeprefix(f"s3://{settings.minio_warehouse_bucket}/")
        stack.minio.client().remove_object(settings.minio_warehouse_bucket, key)
        found = {finding.name: finding for finding in verify(lake).broken}
    assert any(location in problem for problem in found["files"].problems)


@pytest.mark.usefixtures("published")
def test_nothing_of_a_build_stays_on_the_local_disk(settings: Settings) -> None:
    left = [path for path in settings.gamelake_home.rglob("*") if path.is_file()]
    assert left == []


@pytest.mark.usefixtures("published")
def test_a_query_whose_files_cannot_be_had_is_a_service_that_is_down(
    settings: Settings, stack: Stack
) -> None:
    with connect(settings) as engine:
        stack.minio.kill()
        try:
            with pytest.raises(ServiceDown, match="MinIO"):
                engine.sql("SELECT max(name) FROM fact_games").fetchall()
        finally:
            stack.minio.start()
        assert engine.sql("SELECT count(name) FROM fact_games").fetchall() == [(2,)]
