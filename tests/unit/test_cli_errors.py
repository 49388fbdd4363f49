"""One error path: exit code, one line, hint, no traceback, no secret."""

import json
import os
import signal
import subprocess
import sys

import pytest

from gamelake import __main__ as entry
from gamelake.cli import Command
from utils import errors

CANARY = "canary-key-that-must-not-leak"
ENVIRON = {"RAWG_API_KEY": CANARY}


@pytest.fixture
def failing(monkeypatch, tmp_path):
    """Make `gamelake status` raise whatever the test says."""

    def arrange(error: BaseException) -> dict[str, str]:
        def run(*_: object) -> None:
            raise error

        monkeypatch.setattr(Command, "load", lambda _: run)
        return {**ENVIRON, "GAMELAKE_HOME": str(tmp_path)}

    return arrange


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, 2),
        (errors.SourceError, 3),
        (errors.QuotaSpent, 4),
        (errors.ChecksFailed, 5),
        (errors.Locked, 6),
        (errors.Conflict, 6),
        (errors.ServiceDown, 7),
        (errors.Incomplete, 8),
        (errors.Stopped, 130),
    ],
)
def test_every_kind_of_error_has_its_exit_code(failing, capsys, kind, code):
    environ = failing(kind("it broke", operation="test", subject="s", hint="mend it"))

    assert entry.run(["status"], environ) == code

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: it broke\nhint: mend it\n"


def test_with_json_the_error_and_the_report_are_one_object(failing, capsys):
    class Report:
        def as_dict(self) -> dict[str, object]:
            return {"state": "paused", "pages": 3}

    error = errors.QuotaSpent("spent", operation="ingest", subject="2026-11", hint="later")
    error.report = Report()

    assert entry.run(["status", "--json"], failing(error)) == 4

    assert json.loads(capsys.readouterr().out) == {
        "state": "paused",
        "pages": 3,
        "error": "spent",
        "code": "quota",
        "subject": "2026-11",
        "hint": "later",
    }


def test_a_defect_is_one_line_that_names_a_file(failing, capsys, tmp_path):
    assert entry.run(["status"], failing(ValueError(f"bad {CANARY}"))) == 1

    err = capsys.readouterr().err
    (path,) = tmp_path.glob("logs/defect-*.txt")
    assert str(path) in err
    assert "Traceback" not in err
    assert "Traceback" in path.read_text()
    assert CANARY not in err + path.read_text()


@pytest.mark.parametrize("flag", ["-v", "--traceback"])
def test_a_traceback_is_shown_when_asked_for(failing, capsys, flag):
    assert entry.run(["status", flag], failing(ValueError(f"bad {CANARY}"))) == 1

    err = capsys.readouterr().err
    assert "Traceback" in err
    assert CANARY not in err


def test_a_secret_in_a_cause_stays_secret(failing, capsys):
    error = errors.SourceError(f"GET x?key={CANARY}", operation="fetch", subject=CANARY)
    error.__cause__ = OSError(f"https://host/api?key={CANARY}")

    assert entry.run(["status", "--traceback", "--json"], failing(error)) == 3

    captured = capsys.readouterr()
    assert CANARY not in captured.out + captured.err


def test_what_the_system_refuses_is_no_defect(failing, capsys):
    assert entry.run(["status"], failing(OSError(28, "No space left on device", "/x/y"))) == 7

    err = capsys.readouterr().err
    assert "the storage refused: No space left on device: /x/y" in err
    assert "hint: check free space and rights" in err


def test_ctrl_c_is_exit_130_and_says_how_to_go_on(failing, capsys):
    assert entry.run(["status"], failing(KeyboardInterrupt())) == 130

    assert "the same command continues" in capsys.readouterr().err


def test_what_a_library_makes_of_ctrl_c_is_no_defect(monkeypatch, capsys):
    def run(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    monkeypatch.setattr(Command, "load", lambda _: run)

    assert entry.run(["status"], {}) == 130
    assert "error: stopped" in capsys.readouterr().err


def test_a_wrong_setting_is_named_and_not_echoed(capsys):
    assert entry.run(["status"], {"RAWG_WORKERS": "many-secrets"}) == 2

    err = capsys.readouterr().err
    assert "RAWG_WORKERS" in err
    assert "many-secrets" not in err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["doctor", "--json"], 0, ""),
        ([], 0, ""),
        (["nope", "--json"], 2, "error: No such command 'nope'\nhint: gamelake --help\n"),
    ],
)
def test_a_reader_that_leaves_is_no_error(tmp_path, words, code, told):
    program = "from gamelake.__main__ import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "GAMELAKE_HOME": str(tmp_path)},
        text=True,
    )
    child.stdout.close()

    err = child.stderr.read()
    child.stderr.close()

    assert (child.wait(), err) == (code, told)
