"""`gamelake sql --engine dremio`: the same answers as DuckDB gives, over a real Flight server."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dremio_lab import DremioUser, flight_of, publish_lake, published_tables, user_of
from dremio_standin import PASSWORD, USER, Standin
from dremio_standin_flight import BREAK, STALL, STALL_EARLY, FlightStandin

from etl.iceberg_schemas import TABLES
from serving.dremio_flight import FlightEngine, flight_address
from serving.lake import connect
from serving.shell import Shell
from serving.view_files import load_views
from utils.config import Settings
from utils.errors import ServiceDown, UsageError

VIEWS = [view.name for view in load_views()]


@dataclass(frozen=True)
class Served:
    standin: Standin
    flight: FlightStandin
    user: DremioUser
    lake: Settings

    def engine(self) -> FlightEngine:
        return FlightEngine(self.flight.address, USER, PASSWORD)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    lake = publish_lake(tmp_path_factory.mktemp("lake"))
    with Standin() as standin, flight_of(standin) as flight:
        standin.sql.publish(published_tables(lake))
        user = user_of(standin, tmp_path_factory.mktemp("home"), flight.address)
        user.setup()
        yield Served(standin, flight, user, lake)


def _sorted(table: pa.Table) -> list[str]:
    rows = [
        [round(v, 9) if isinstance(v, float) else v for v in r.values()] for r in table.to_pylist()
    ]
    return sorted(map(str, rows))


@pytest.mark.parametrize("name", [*TABLES, *VIEWS])
def test_every_bare_name_gives_what_duckdb_gives(served: Served, name: str) -> None:
    with served.engine() as dremio, connect(served.lake) as duckdb:
        there = dremio.sql(f"SELECT * FROM {name}").arrow()
        here = duckdb.sql(f"SELECT * FROM {name}").arrow()

    assert there.schema.names == here.schema.names
    assert there.num_rows > 0 or name in ("tag_summary", "upcoming")
    assert _sorted(there) == _sorted(here)


def test_every_format(served: Served, tmp_path: Path) -> None:
    sql = "SELECT game_id, name, released_on FROM games_clean ORDER BY game_id"

    def asked(*argv: str) -> bytes:
        told = served.user.run("sql", "--engine", "dremio", sql, *argv)
        assert told.code == 0, told
        return told.out

    rows = json.loads(asked("--json"))
    assert rows[0] == {"game_id": 1, "name": "Game 1: The Sequel", "released_on": "2002-02-02"}
    assert len(rows) == 30
    assert list(csv.reader(io.StringIO(asked("--format", "csv").decode())))[1][0] == "1"
    assert b"Game 30: The Sequel" in asked()
    path = tmp_path / "answer.parquet"
    asked("--output", str(path))
    assert pq.read_table(path).num_rows == 30


def test_times_and_dates_keep_their_meaning(served: Served) -> None:
    sql = "SELECT source_updated_at, released_on FROM fact_games ORDER BY game_id LIMIT 1"
    told = served.user.run("sql", "--engine", "dremio", sql, "--format", "csv")

    with connect(served.lake) as duckdb:
        ((at, _),) = duckdb.sql(sql).fetchall()
    assert at.strftime("%Y-%m-%dT%H:%M:%S") in told.out.decode()


def test_no_rows_is_an_answer(served: Served) -> None:
    with served.engine() as dremio:
        found = dremio.sql("SELECT name FROM fact_games WHERE game_id < 0")
        assert (found.fetchall(), found.columns) == ([], ["name"])


def test_branch_and_tag_are_for_dremio(served: Served) -> None:
    with served.engine() as dremio:
        sql = "SELECT COUNT(*) AS n FROM nessie.games.fact_games AT BRANCH main;"
        assert dremio.sql(sql).fetchall() == [(30,)]
        with pytest.raises(UsageError, match="TAG"):
            dremio.sql('SELECT 1 AS n FROM nessie.games.fact_games AT TAG "run-1"')


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT * FROM no_such_table", "no_such_table"),
        ("SELECT nothing FROM fact_games", "nothing"),
        ("SELECT year FROM fact_games", "year"),
        ("SELECT FROM WHERE", "parsing"),
    ],
)
def test_dremios_words_on_a_wrong_query_are_told(served: Served, sql: str, said: str) -> None:
    told = served.user.run("sql", "--engine", "dremio", sql, "--json")

    assert told.code == 2
    assert said in told.json["error"]
    assert "gRPC" not in told.json["error"]
    assert "dremio-setup" in told.json["hint"]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE nessie.games.fact_games",
        "CREATE VIEW curated.x AS SELECT 1",
        "MERGE BRANCH a INTO main IN nessie",
        "USE BRANCH other IN nessie",
        "SELECT 1; DROP TABLE nessie.games.fact_games",
        "-- hidden\rDROP TABLE nessie.games.fact_games --\nSELECT 1",
        "/**/ DROP TABLE x /* */ -- SELECT",
        "/* a /* b */ DROP TABLE x -- */ SELECT",
        "// x\nDELETE FROM nessie.games.fact_games",
        '// x "\nDELETE FROM nessie.games.fact_games -- "\nSELECT 1',
        "SELECT 1 // '\n; DROP TABLE nessie.games.fact_games -- '",
        "(DELETE FROM nessie.games.fact_games)",
        "",
        " ; ",
        "/* SELECT 1",
    ],
)
def test_what_writes_never_reaches_dremio(served: Served, sql: str) -> None:
    before = list(served.flight.statements)

    with served.engine() as dremio, pytest.raises(UsageError, match=r"not allowed|expected one"):
        dremio.sql(sql)

    assert served.flight.statements == before


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 as n",
        "  (SELECT 1 AS n) ; ; ",
        "WITH a AS (SELECT ';' AS n) SELECT * FROM a",
        "-- why\nSELECT 1 AS n /* ; */",
        "VALUES (1)",
        "SELECT 'it''s; -- not' AS \"a;b\"",
    ],
)
def test_what_reads_passes(served: Served, sql: str) -> None:
    with served.engine() as dremio:
        assert len(dremio.sql(sql).fetchall()) == 1


def test_a_wrong_password_is_exit_2(served: Served) -> None:
    told = served.user.but(DREMIO_PASSWORD="wrong-pa55word").run(  # noqa: S106
        "sql", "--engine", "dremio", "SELECT 1", "--json"
    )

    assert told.code == 2
    assert "refuses" in told.json["error"]
    assert "DREMIO_PASSWORD" in told.json["hint"]


def test_no_server_is_exit_7(served: Served) -> None:
    told = served.user.but(DREMIO_FLIGHT_URL="grpc+tcp://127.0.0.1:1").run(
        "sql", "--engine", "dremio", "SELECT 1", "--json"
    )

    assert told.code == 7
    assert "check-services" in told.json["hint"]


def test_an_answer_that_breaks_off_is_no_answer(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "answer.csv"
    told = served.user.run(
        *("sql", "--engine", "dremio", f"SELECT * FROM dim_date {BREAK}", "--json"),
        *("--format", "csv", "--output", str(path)),
    )

    assert told.code == 2
    assert "the disk of an executor is full" in told.json["error"]
    assert "Jobs" in told.json["hint"]
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_goes_away_is_a_service_that_is_down(served: Served) -> None:
    with flight_of(served.standin) as flight:
        engine = FlightEngine(flight.address, USER, PASSWORD)
    with engine, pytest.raises(ServiceDown):
        engine.sql("SELECT 1")


def test_an_address_that_is_none_is_a_usage_error(served: Served) -> None:
    told = served.user.but(DREMIO_FLIGHT_URL="localhost").run(
        "sql", "--engine", "dremio", "SELECT 1", "--json"
    )

    assert told.code == 2, told
    assert told.json["subject"] == "DREMIO_FLIGHT_URL"


def test_at_is_refused(served: Served) -> None:
    told = served.user.run("sql", "--engine", "dremio", "--at", "run-1", "SELECT 1", "--json")

    assert told.code == 2
    assert "AT TAG" in told.json["hint"]


@pytest.mark.parametrize(
    ("web", "flight"),
    [
        ("http://127.0.0.1:9047", "grpc+tcp://127.0.0.1:32010"),
        ("http://dremio:9047/", "grpc+tcp://dremio:32010"),
        ("https://[::1]:9047", "grpc+tls://[::1]:32010"),
    ],
)
def test_the_flight_server_is_beside_the_web_server(web: str, flight: str) -> None:
    assert flight_address(Settings(dremio_url=web)) == flight
    assert flight_address(Settings(dremio_url=web, dremio_flight_url="grpc://a:1")) == "grpc://a:1"


def test_the_shell_asks_dremio(served: Served) -> None:
    lines = iter([".tables", ".schema genre_summary", ".schema dim_genre", "SELECT 1 AS n;"])

    def read_line(_: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    out, notes = io.BytesIO(), io.StringIO()
    with served.engine() as engine:
        Shell(engine, read_line, out=out, notes=notes).run()

    told = out.getvalue().decode()
    assert "genre_summary" in told
    assert "avg_rating" in told
    assert "Surrogate key" in told
    assert "(1 row)" in notes.getvalue()


@pytest.mark.parametrize("where", [STALL, STALL_EARLY])
def test_ctrl_c_stops_the_query_here_and_there(served: Served, where: str) -> None:
    with flight_of(served.standin) as flight:
        environ = {**served.user.environ, "DREMIO_FLIGHT_URL": flight.address}
        command = [sys.executable, "-m", "gamelake", "sql", "--engine", "dremio"]
        child = subprocess.Popen(
            [*command, f"SELECT * FROM fact_games {where}", "--format", "csv"],
            env={**os.environ, **environ, "PYTHONPATH": str(Path.cwd())},
            cwd=environ["GAMELAKE_HOME"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert flight.stalled.wait(60)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
        assert flight.cancelled.wait(20)

    assert child.returncode == 130, err
    assert b"stopped" in err
