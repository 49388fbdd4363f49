"""Reading a real embedded lake: main, any published run, and while others publish."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from etl_lake import EtlLake, open_lake
from raw_builder import game, named, platform, store, tag

from etl.context import EtlRequest
from etl.pipeline import run_etl
from serving.lake import connect
from storage.layout import GAMES
from utils.config import Settings
from utils.errors import UsageError


def _publish(lake: EtlLake, run_id: str, *rows: dict[str, object]) -> str:
    lake.add(run_id, GAMES, rows)
    return run_etl(lake.ctx, EtlRequest()).run_id


def _rich(number: int, *, at: int, **fields: object) -> dict[str, object]:
    lists = {
        "platforms": [platform(4, "2020-01-02", "PC")],
        "stores": [store(1, "steam.example", "Steam")],
        "genres": [named(4, "Action")],
        "tags": [tag(31, name="Singleplayer")],
    }
    return game(number, at=at, released="2020-01-02", **{**lists, **fields})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, list[str]]:
    """A lake with two published runs: one game, then two."""
    home = tmp_path_factory.mktemp("lake")
    with open_lake(home) as lake:
        first = _publish(lake, "run-1", _rich(1, at=1, added=5))
        second = _publish(lake, "run-2", _rich(1, at=2, added=9), _rich(2, at=2))
    return Settings(gamelake_home=home), [first, second]


def _games(settings: Settings, at: str | None = None) -> list[tuple[int, int]]:
    with connect(settings, at) as engine:
        return engine.sql("SELECT game_id, added FROM games_clean ORDER BY 1").fetchall()


def test_main_is_the_newest_run(published: tuple[Settings, list[str]]) -> None:
    settings, _ = published

    assert _games(settings) == [(1, 9), (2, 0)]


def test_any_published_run_can_be_asked(published: tuple[Settings, list[str]]) -> None:
    settings, (first, second) = published

    assert _games(settings, first) == [(1, 5)]
    assert _games(settings, f"run-{first}") == [(1, 5)]
    assert _games(settings, second) == _games(settings, "main")


def test_an_unknown_run_is_refused_with_near_names(published: tuple[Settings, list[str]]) -> None:
    settings, (first, _) = published
    with pytest.raises(UsageError) as caught:
        connect(settings, first[:-1])

    assert first in caught.value.hint


def test_a_reader_keeps_its_commit_while_others_publish(tmp_path: Path) -> None:
    settings = Settings(gamelake_home=tmp_path)
    with open_lake(tmp_path) as lake:
        _publish(lake, "run-1", _rich(1, at=1))
        with connect(settings) as before:
            _publish(lake, "run-2", _rich(2, at=2))
            tables = [f"SELECT count(*) AS n FROM {name}" for name in ("fact_games", "games_clean")]
            assert [before.sql(table).fetchall() for table in tables] == [[(1,)]] * 2
            assert len(_games(settings)) == 2


def test_a_lake_without_a_publish_says_what_to_do(tmp_path: Path) -> None:
    with open_lake(tmp_path):
        pass
    with pytest.raises(UsageError, match="nothing is published") as caught:
        connect(Settings(gamelake_home=tmp_path))

    assert "gamelake run" in caught.value.hint


def test_reading_changes_no_file(published: tuple[Settings, list[str]]) -> None:
    settings, _ = published
    before = _contents(settings.gamelake_home)
    _games(settings)

    assert _contents(settings.gamelake_home) == before


def _contents(home: Path) -> dict[Path, bytes]:
    # SQLite may leave its write-ahead log and shared memory beside a database that was only read.
    files = [p for p in home.rglob("*") if p.is_file() and p.suffix not in (".db-wal", ".db-shm")]
    return {path: path.read_bytes() for path in files}


CUT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from serving.lake import connect
from utils.config import Settings
from utils.errors import Stopped
from pathlib import Path
with connect(Settings(gamelake_home=Path(sys.argv[1]))) as engine:
    slow = "SELECT count(*) FROM range(1000000000000) AS t(i) WHERE hash(i) % 7 = 1"
    print("ready", flush=True)
    try:
        engine.sql(slow).fetchall()
    except Stopped:
        print("stopped", engine.sql("SELECT 1").fetchall(), flush=True)
"""


def test_ctrl_c_cuts_a_query_and_the_engine_lives_on(published: tuple[Settings, list[str]]) -> None:
    settings, _ = published
    command = [sys.executable, "-c", CUT, str(settings.gamelake_home)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        try:
            child.wait(0.5)
        except subprocess.TimeoutExpired:
            os.kill(child.pid, signal.SIGINT)
        out, _ = child.communicate(timeout=20)

    assert out == "stopped [(1,)]\n"
