"""The operational store's schema: brought up to date on open, from anywhere, or refused."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect

from storage.database.migrate import alembic_config
from storage.database.models import Base
from storage.database.session import Database
from utils.errors import GamelakeError, ServiceDown, UsageError


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/store.db"


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def test_the_migrated_schema_is_the_models(tmp_path: Path) -> None:
    Database.open(url(tmp_path)).close()
    engine = create_engine(url(tmp_path))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_migrations_go_down_and_up_again(tmp_path: Path) -> None:
    engine = create_engine(url(tmp_path))
    steps = (("upgrade", "head", len(Base.metadata.tables)), ("downgrade", "base", 0))
    for name, target, count in (*steps, *steps):
        with engine.begin() as connection:
            getattr(command, name)(alembic_config(connection), target)
        assert len(tables(engine)) == count
    engine.dispose()


def test_a_store_opens_from_any_folder_and_under_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        Database.open("sqlite:///a lake/50%/store.db") as database,
        database.unit_of_work() as unit,
    ):
        unit.state.set("key", "value")
    with Database.open(url(tmp_path / "a lake" / "50%")) as again, again.reading() as unit:
        assert unit.state.get("key") == "value"


def test_a_newer_schema_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    Database.open(url(tmp_path)).close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    connection.close()
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(UsageError, match="from_the_future") as caught:
        Database.open(url(tmp_path))
    assert "upgrade gamelake" in caught.value.hint
    assert (tmp_path / "store.db").read_bytes() == before


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database" * 100)
    with pytest.raises(GamelakeError, match="not a database") as caught:
        Database.open(url(tmp_path))
    assert "store.db" in caught.value.subject


def test_a_path_that_cannot_be_opened_is_a_service_down(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(ServiceDown, match="unable to open") as caught:
        Database.open(url(tmp_path))
    assert caught.value.hint


def test_processes_that_open_a_new_store_at_once_all_get_it(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(4)

    def open_it() -> None:
        barrier.wait()
        try:
            Database.open(url(tmp_path)).close()
        except GamelakeError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_failed_migration_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_halfway(config: object, target: str) -> None:
        upgrade(config, target)
        raise OSError("power failed")

    upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", fail_halfway)
    with pytest.raises(OSError, match="power failed"):
        Database.open(url(tmp_path))
    engine = create_engine(url(tmp_path))
    assert tables(engine) == set()
    engine.dispose()


def test_the_store_is_durable_and_consistent_by_its_settings(tmp_path: Path) -> None:
    with Database.open(url(tmp_path)) as database, database.reading() as unit:
        connection = unit.state._connection
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked}
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }
