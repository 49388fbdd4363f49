"""The commands as a user runs them: separate processes, real simulator, one lake."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.config import SimulatorConfig
from simulator.process import SimulatorProcess
from storage.database.session import Database
from storage.layout import WRITER_LEASE

KEY = "canary-key-of-the-commands"


class User:
    """Somebody in a folder of their own, with a key and a source."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self.home = folder / "lake"
        self._folder = folder
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RAWG_", "GAMELAKE"))}
        self.environ = {
            **inherited,
            "RAWG_BASE_URL": base_url,
            "RAWG_API_KEY": KEY,
            "RAWG_MAX_RPS": "0",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "gamelake", *words],
            cwd=self._folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> tuple[str, str]:
        """Run one command; return stdout and stderr."""
        with self.start(*words) as child:
            out, err = child.communicate(timeout=120)
        assert child.returncode == code, err
        assert KEY not in out + err
        assert "Traceback" not in err
        return out, err

    def json(self, *words: str, code: int = 0):
        return json.loads(self.run(*words, "--json", code=code)[0])


@pytest.fixture
def source() -> Iterator[SimulatorProcess]:
    with SimulatorProcess.start(SimulatorConfig(games=600, key=KEY)) as started:
        yield started


@pytest.fixture
def user(source, tmp_path) -> User:
    return User(tmp_path, source.base_url)


def test_a_lake_from_first_fetch_to_rollback(user, source):
    out, err = user.run("run")
    assert "Fetched 600 games (600 new" in out
    assert "Complete:" in out
    assert "Published run" in out
    assert "gamelake sql" in err

    first = user.json("status")["published"]
    again = user.json("run")
    assert again["ingest"]["games_new"] == again["ingest"]["games_changed"] == 0
    assert (again["etl"]["mode"], again["etl"]["published"]) == ("none", False)

    source.control.advance(3_600)
    source.control.change(1, added=9_999)
    changed = user.json("run")
    assert changed["ingest"]["games_changed"] == 1
    assert changed["etl"]["mode"] == "incremental"

    query = "SELECT added_count FROM fact_games WHERE game_id = 1"
    assert user.json("sql", query) == [{"added_count": 9_999}]
    assert user.json("sql", query, "--at", first["run_id"]) != [{"added_count": 9_999}]

    _, err = user.run("rollback", first["run_id"], code=2)
    assert "--yes" in err
    assert user.json("rollback", first["run_id"], "--yes")["changed"] is True
    assert user.json("status")["published"]["run_id"] == first["run_id"]
    assert user.json("sql", query) != [{"added_count": 9_999}]

    assert user.json("etl")["published"] is True
    assert user.json("sql", query) == [{"added_count": 9_999}]
    assert user.json("verify")["ok"] is True


def test_runs_are_listed_and_shown(user):
    user.run("run", "-q")

    listed = user.json("runs")
    assert [line["kind"] for line in listed] == ["etl", "ingest"]

    shown = user.json("runs", "show", listed[0]["run_id"])
    assert shown["references"] == [f"run-{listed[0]['run_id']}"]
    assert {check["outcome"] for check in shown["checks"]} <= {"passed", "warned"}
    assert user.json("runs", "show", listed[1]["run_id"])["windows"]
    user.run("runs", "show", "nonsense", code=2)


def test_a_run_whose_process_died_is_told_as_interrupted_until_it_goes_on(user):
    user.environ["GAMELAKE_FAULT"] = "kill:before:http.get:12"
    user.run("ingest", "--full", code=-signal.SIGKILL)
    del user.environ["GAMELAKE_FAULT"]
    (line,) = user.json("runs")
    told = [user.run(*words)[0] for words in (["runs"], ["runs", "show", line["run_id"]])]
    told.append(next(said for said in user.run("status")[0].splitlines() if "ingest" in said))
    with Database.open(f"sqlite:///{user.home / 'store.db'}") as store:
        with store.unit_of_work() as unit:
            unit.leases.acquire(WRITER_LEASE, "somebody", store.clock.now(), ttl_s=60.0)
        at_work = user.run("runs")[0]

    assert line["state"] == "running"  # as it is stored
    assert all("interrupted" in said and "the same command goes on" in said for said in told)
    assert not any(" running" in said for said in told[::2])
    assert " running " in at_work
    assert "interrupted" not in at_work


def test_a_plan_counts_requests_and_stores_no_game(user):
    plan = user.json("plan")

    assert plan["rows"] == 600
    again = user.json("ingest", "--dry-run")
    assert (again["windows"], again["requests"]) == (plan["windows"], plan["requests"])
    assert plan["quota_left"] - again["quota_left"] > 0
    assert list((user.home / "raw").rglob("*")) == []


def test_without_a_key_the_first_run_says_what_to_do(user):
    user.environ["RAWG_API_KEY"] = ""

    out, err = user.run("ingest", code=2)

    assert out == ""
    assert "demo` needs none" in err
    assert "https://rawg.io/apidocs" in err
    assert ".env" in err


def test_a_wrong_key_is_exit_3_and_nothing_is_stored(user):
    user.environ["RAWG_API_KEY"] = "canary-another-key"

    out, err = user.run("ingest", code=3)

    assert "canary" not in out + err
    assert not user.home.exists()


def test_another_source_is_refused(user):
    user.run("ingest", "-q")
    with SimulatorProcess.start(SimulatorConfig(games=10, key=KEY)) as other:
        user.environ["RAWG_BASE_URL"] = other.base_url

        _, err = user.run("ingest", code=2)

    assert "hint:" in err


def test_without_a_lake_reading_commands_say_so_and_create_nothing(user, tmp_path):
    for words in (["status"], ["runs"], ["verify"], ["sql", "SELECT 1"], ["rollback", "x"]):
        _, err = user.run(*words, code=2)
        assert "gamelake demo" in err

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_in_order_and_the_same_command_continues(user, source, number):
    source.control.set(latency_ms=300)
    with user.start("ingest") as child:
        _wait_until(lambda: source.control.counters()["kinds"].get("listing", 0) >= 4)
        asked = time.monotonic()
        child.send_signal(number)
        out, err = child.communicate(timeout=30)
        took = time.monotonic() - asked

    assert child.returncode == 130
    assert took < 10
    assert "stopping, pages in flight are kept; again to force" in err
    assert KEY not in out + err

    source.control.set(latency_ms=0)
    report = user.json("ingest")
    assert (report["complete"], report["games_seen"]) == (True, 600)
    assert user.json("verify")["ok"] is True


def test_a_second_writer_is_exit_6_and_waits_when_asked_to(user, source):
    source.control.set(latency_ms=2_000)
    with user.start("ingest") as first:
        _wait_until(lambda: source.control.counters()["kinds"].get("listing", 0) >= 2)
        assert user.json("ingest", code=6)["code"] == "locked"
        source.control.set(latency_ms=0)

        assert user.json("ingest", "--wait", "60")["complete"] is True
        first.communicate(timeout=30)
    assert first.returncode == 0


def test_sql_reads_from_a_file_and_from_stdin(user, tmp_path):
    user.run("run", "-q")
    (tmp_path / "question.sql").write_text("SELECT COUNT(*) AS games FROM fact_games")

    assert user.json("sql", "--file", "question.sql") == [{"games": 600}]
    user.run("sql", "--file", "question.sql", "--output", "answer.csv")
    assert (tmp_path / "answer.csv").read_text().split() == ['"games"', "600"]

    done = subprocess.run(
        [sys.executable, "-m", "gamelake", "sql", "--format", "csv"],
        input="SELECT 1 AS one",
        cwd=tmp_path,
        env=user.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ['"one"', "1"]


def test_no_file_of_the_lake_holds_the_key(user):
    user.run("run", "-vv")
    user.run("ingest", "-vv", "--traceback")

    files = [path for path in user.home.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def _wait_until(happened) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
