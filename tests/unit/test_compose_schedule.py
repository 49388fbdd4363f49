"""The schedule service's loop: when it runs, what it does after a failure, how it stops."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "docker"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docker_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


schedule, health = load("schedule"), load("health")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "after", "expected"),
    [
        ("15 4 * * *", "2026-11-21T04:14:59", "2026-11-21T04:15"),
        ("15 4 * * *", "2026-11-21T04:15:00", "2026-11-22T04:15"),
        ("*/20 * * * *", "2026-11-21T23:41", "2026-11-22T00:00"),
        ("0 3 1 * *", "2026-11-21T00:00", "2026-12-01T03:00"),
        ("0 0 29 2 *", "2026-11-21T00:00", "2028-02-29T00:00"),
        ("30 6 * * 1-5", "2026-11-20T07:00", "2026-11-23T06:30"),  # Friday to Monday
        ("0 0 * * 0", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("0 0 * * 7", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("0 0 25 * 0", "2026-11-21T00:00", "2026-11-22T00:00"),  # either day: cron's rule
        ("0 0 25 * 0", "2026-11-22T00:00", "2026-11-25T00:00"),
        ("5,35 8-9 * 12 *", "2026-11-21T00:00", "2026-12-01T08:05"),
        ("10-50/20 * * * *", "2026-11-21T00:31", "2026-11-21T00:50"),
    ],
)
def test_a_cron_line_comes_true(line, after, expected):
    following, at_once = schedule.parse_schedule(line)

    assert following(at(after)) == at(expected)
    assert not at_once


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("6h", 21600)])
def test_an_interval_starts_at_once(text, seconds):
    following, at_once = schedule.parse_schedule(text)

    assert following(at("2026-11-21T00:00")) - at("2026-11-21T00:00") == timedelta(seconds=seconds)
    assert at_once


@pytest.mark.parametrize(
    "text",
    [
        *("", "6", "0h", "h", "-1h", "daily", "* * * *", "60 * * * *", "* 24 * * *"),
        *("5-1 * * * *", "*/0 * * * *", "a * * * *", "0 0 30 2 *", "0 0 0 * *"),
    ],
)
def test_what_is_no_schedule_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        schedule.parse_schedule(text)


class Loop:
    """docker/schedule.py in a process of its own, with a gamelake that does as it is told."""

    def __init__(self, folder: Path, program: str, **variables: str) -> None:
        package = folder / "gamelake"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(program)
        environ = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(folder), **variables}
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPTS / "schedule.py")],
            env=environ,
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )

    def until(self, text: str) -> str:
        """Return what is printed up to a line with `text`."""
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if text in line:
                return said
        raise AssertionError(said)

    def stopped(self) -> tuple[int, str]:
        """Send SIGTERM; return the exit code and the rest of the output."""
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=20)
        return self.process.returncode, rest


@pytest.fixture
def loop(tmp_path):
    loops: list[Loop] = []

    def start(program: str, **variables: str) -> Loop:
        loops.append(Loop(tmp_path, program, **variables))
        return loops[-1]

    yield start
    for one in loops:
        one.process.kill()
        one.process.communicate()


def test_it_runs_the_command_again_and_again(loop):
    running = loop("import sys; print('did', sys.argv[1:])", SCHEDULE="1s", SCHEDULE_COMMAND="etl")

    said = running.until("exit 0") + running.until("exit 0")

    assert said.count("gamelake etl\n") == 2
    assert said.count("did ['etl']\n") == 2
    assert running.stopped()[0] == 0


def test_a_failure_that_may_pass_is_tried_again_soon_and_others_are_not(loop):
    program = (
        "import sys, pathlib\n"
        "again = pathlib.Path('been')\n"
        "code = 5 if again.exists() else 7\n"
        "again.touch()\n"
        "sys.exit(code)\n"
    )
    running = loop(program, SCHEDULE="1h", SCHEDULE_RETRY="1s")

    said = running.until("exit 7") + running.until("exit 5") + running.until("next run at")

    due = at(said.rsplit("at ", 1)[1].removesuffix(" UTC\n"))
    assert due > datetime.now(UTC) + timedelta(minutes=50)


def test_a_signal_ends_the_command_in_order_and_then_the_loop(loop):
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\n"
        "print('working', flush=True)\ntime.sleep(60)\n"
    )
    running = loop(program, SCHEDULE="1h")
    running.until("working")

    code, rest = running.stopped()

    assert code == 0
    assert "exit 130" in rest
    assert rest.endswith("stopped\n")


def test_a_wrong_setting_is_told(loop):
    running = loop("", SCHEDULE="now and then")

    assert "'now and then'" in running.until("cannot be used")
    assert running.process.wait(20) == 2


def test_health_follows_the_heartbeat(tmp_path, monkeypatch):
    beat = tmp_path / "schedule.alive"
    monkeypatch.setattr(health, "HEARTBEAT", beat)
    environ = {"GAMELAKE_HOME": str(tmp_path)}
    assert list(health.problems(environ)) == []

    beat.touch()
    assert list(health.problems(environ)) == []

    long_ago = time.time() - 120
    os.utime(beat, (long_ago, long_ago))
    assert list(health.problems(environ)) == ["the schedule's loop stands still"]


def test_health_names_the_server_that_does_not_answer_and_no_password(tmp_path):
    environ = {
        "GAMELAKE_HOME": str(tmp_path),
        "DATABASE_URL": "postgresql+psycopg://u:hush@127.0.0.1:1/d",
    }

    assert list(health.problems(environ)) == ["DATABASE_URL: no connection to 127.0.0.1:1"]
