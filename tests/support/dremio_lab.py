"""A stand-in for Dremio over a small published lake, and commands that talk to it."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from dremio_standin import ACCESS_KEY, PASSWORD, SECRET, USER, Standin
from dremio_standin_flight import FlightStandin
from etl_lake import open_lake
from raw_builder import game, named, platform, store, tag, year_counts

from etl.context import EtlRequest
from etl.pipeline import run_etl
from gamelake import __main__ as command_line
from serving.engine import QueryEngine
from serving.lake import connect
from storage.layout import GAMES, YEAR_COUNTS
from utils.config import Settings


@dataclass(frozen=True)
class Told:
    """What a command ended with and printed."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class DremioUser:
    """Runs commands against one stand-in; `environ` is all that they see."""

    environ: Mapping[str, str]

    def run(self, *argv: str) -> Told:
        """Run one command in this process."""
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        before = Path.cwd()
        os.chdir(self.environ["GAMELAKE_HOME"])  # where no .env lies
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = command_line.run([*argv], self.environ)
        finally:
            os.chdir(before)
        out.flush()
        return Told(code, out.buffer.getvalue(), err.getvalue())  # type: ignore[attr-defined]

    def setup(self, *argv: str) -> Any:
        """Run a set-up that has to succeed; return what it printed as JSON."""
        told = self.run("dremio-setup", "--json", *argv)
        assert told.code == 0, told
        return told.json

    def but(self, **environ: str) -> "DremioUser":
        """Return this user under other settings."""
        return replace(self, environ={**self.environ, **environ})


def user_of(standin: Standin, home: Path, flight: str = "") -> DremioUser:
    """Return a user with every setting that the tests depend on."""
    return DremioUser(
        {
            "GAMELAKE_HOME": str(home),
            "DREMIO_URL": standin.url,
            "DREMIO_FLIGHT_URL": flight,
            "DREMIO_USER": USER,
            "DREMIO_PASSWORD": PASSWORD,
            "MINIO_ANALYST_ACCESS_KEY": ACCESS_KEY,
            "MINIO_ANALYST_SECRET_KEY": SECRET,
        }
    )


def publish_lake(home: Path) -> Settings:
    """Publish a lake of a few games with platforms, stores, genres and tags."""
    with open_lake(home) as lake:
        rows = [_game(number) for number in range(1, 31)]
        lake.add("run-1", GAMES, rows)
        lake.add("run-1", YEAR_COUNTS, year_counts({None: 2, 2001: 5}, at=31))
        run_etl(lake.ctx, EtlRequest())
    return Settings(gamelake_home=home)


def _game(number: int) -> dict[str, object]:
    return game(
        number,
        at=number,
        name=f"Game {number}: The Sequel",
        released=f"20{number % 20 + 1:02}-0{number % 9 + 1}-02",
        rating=number % 5,
        reviews_count=number * 7,
        added=number * 11,
        playtime=number % 4,
        metacritic=50 + number,
        platforms=[platform(4 + number % 3, "2020-01-02", f"P{number % 3}")],
        stores=[store(1 + number % 2, "steam.example", "Steam")],
        genres=[named(4, "Action"), named(5 + number % 2, f"G{number % 2}")],
        tags=[tag(31, name="Singleplayer")],
    )


def published_tables(settings: Settings) -> dict[str, pa.Table]:
    """Return the rows of every published table."""
    with connect(settings) as engine:
        return {name: _rows(engine, name) for name in engine.tables}


def _rows(engine: QueryEngine, name: str) -> pa.Table:
    return engine.sql(f'SELECT * FROM games."{name}"').arrow()


@contextmanager
def flight_of(standin: Standin) -> Iterator[FlightStandin]:
    """Serve Flight over the stand-in's tables and views."""
    with FlightStandin(standin) as server:
        yield server
