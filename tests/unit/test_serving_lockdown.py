"""Escape attempts against the SQL engine: all refused, live files unchanged (reliability 21)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from literal_star import game, pin, seen

from serving.engine import QueryEngine
from utils.errors import UsageError

WRITES = """
COPY (SELECT 1) TO '{file}' (FORMAT parquet)
COPY fact_games TO '{file}' (FORMAT parquet, USE_TMP_FILE false)
COPY fact_games TO '{new}'
COPY fact_games FROM '{file}'
EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}' (FORMAT parquet)
EXPLAIN (ANALYZE) COPY (SELECT 1) TO '{file}'
EXPLAIN ANALYZE CREATE TABLE games.stolen AS SELECT 1
EXPLAIN ANALYZE DROP VIEW games.fact_games
EXPLAIN /* x */ ANALYZE DELETE FROM fact_games
WITH x AS (COPY (SELECT 1) TO '{file}') SELECT * FROM x
WITH x AS (INSERT INTO fact_games (game_id) VALUES (7) RETURNING *) SELECT * FROM x
WITH x AS (DELETE FROM fact_games RETURNING *) SELECT * FROM x
EXPORT DATABASE '{new}'
IMPORT DATABASE '{folder}'
ATTACH '{new}'
ATTACH '{file}'
ATTACH ':memory:' AS other
DETACH memory
USE temp
CREATE TABLE games.t (i INTEGER)
CREATE TEMP TABLE t AS SELECT 1
CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW games.fact_games AS SELECT 1
CREATE MACRO m() AS 1
CREATE SECRET s (TYPE s3)
CREATE PERSISTENT SECRET s (TYPE http)
CREATE SCHEMA s
CREATE SEQUENCE s
CREATE TYPE t AS ENUM ('a')
DROP VIEW games.fact_games
DROP SCHEMA games CASCADE
ALTER TABLE fact_games ADD COLUMN x INTEGER
INSERT INTO fact_games (game_id) VALUES (7)
UPDATE fact_games SET name = 'x'
DELETE FROM fact_games
TRUNCATE fact_games
MERGE INTO fact_games USING fact_games AS s ON false WHEN MATCHED THEN DELETE
COMMENT ON TABLE fact_games IS 'x'
SET enable_external_access = true
SET lock_configuration = false
SET memory_limit = '100GB'
SET temp_directory = '{folder}'
SET GLOBAL allowed_directories = ['/']
RESET memory_limit
SET VARIABLE x = 1
PRAGMA enable_profiling
PRAGMA profiling_output = '{new}'
PRAGMA database_list
CALL enable_logging(storage = 'file', storage_path = '{new}')
SELECT * FROM enable_logging(storage = 'file', storage_path = '{new}')
SELECT * FROM enable_profiling(save_location = '{new}')
CHECKPOINT
FORCE CHECKPOINT
SELECT * FROM force_checkpoint()
VACUUM
ANALYZE
INSTALL httpfs
LOAD httpfs
FORCE INSTALL httpfs FROM 'http://127.0.0.1:9/'
BEGIN
COMMIT
PREPARE p AS SELECT 1
EXECUTE p
DEALLOCATE p
SELECT 1; DROP VIEW games.fact_games
PIVOT fact_games ON name
SELECT * FROM query('DROP VIEW games.fact_games')
SELECT * FROM json_execute_serialized_sql('{{}}')
"""
READS = """
SELECT * FROM read_parquet('{file}')
SELECT * FROM '{file}'
SELECT * FROM parquet_scan('{folder}/*.parquet')
SELECT * FROM parquet_metadata('{file}')
SELECT * FROM parquet_schema('{file}')
SELECT * FROM parquet_kv_metadata('{file}')
SELECT * FROM glob('{folder}/*')
SELECT * FROM read_text('/etc/hostname')
SELECT * FROM read_blob('/etc/hostname')
SELECT * FROM read_csv('/etc/hostname')
SELECT * FROM read_csv('/dev/stdin')
SELECT * FROM read_json('/etc/hostname')
SELECT * FROM sniff_csv('/etc/hostname')
SELECT * FROM read_duckdb('{file}')
SELECT * FROM read_parquet('s3://bucket/key')
SELECT * FROM read_csv('http://127.0.0.1:9/x')
SELECT getenv('HOME')
SELECT * FROM pandas_scan(1)
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM arrow_scan_dumb(1, 2, 3)
SELECT * FROM python_arrow_scan(1)
SELECT * FROM seq_scan()
"""
ATTEMPTS = [line for line in (WRITES + READS).splitlines() if line]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, QueryEngine]]:
    folder = tmp_path_factory.mktemp("warehouse")
    pinned = pin(folder, fact_games=[game(1), game(2)], fact_game_history=seen())
    with QueryEngine(pinned) as engine:
        yield folder, engine


def _digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def _filled(attempt: str, folder: Path) -> str:
    return attempt.format(file=folder / "fact_games.parquet", new=folder / "new", folder=folder)


def test_the_list_is_as_long_as_promised() -> None:
    assert len(ATTEMPTS) >= 60


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_escape_is_refused_and_no_file_changes(
    lake: tuple[Path, QueryEngine], attempt: str
) -> None:
    folder, engine = lake
    before = _digest(folder)

    with pytest.raises(UsageError) as caught:
        engine.sql(_filled(attempt, folder)).fetchall()

    assert caught.value.hint
    assert _digest(folder) == before
    assert engine.sql("SELECT count(*) FROM games.fact_games").fetchall() == [(2,)]


@pytest.mark.parametrize("attempt", [a for a in ATTEMPTS if "{" in a and "{{" not in a])
def test_the_second_wall_holds_without_the_gate(
    lake: tuple[Path, QueryEngine], attempt: str
) -> None:
    """Whatever the gate might let through, DuckDB itself reaches no file."""
    folder, engine = lake
    before = _digest(folder)

    with pytest.raises(duckdb.Error):
        engine._connection.execute(_filled(attempt, folder)).fetchall()

    assert _digest(folder) == before
