"""What one sees before anything runs: first page, help pages, typos."""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gamelake.__main__ import run
from gamelake.cli import COMMANDS, parse
from gamelake.terminal import program_name
from utils.errors import UsageError

DESIGNED = {
    "demo", "ingest", "etl", "run", "sql", "status", "runs", "rollback", "check-services",
    "simulate", "verify", "doctor", "plan", "dremio-setup",
}  # fmt: skip


def test_there_are_exactly_the_designed_commands():
    assert {command.name for command in COMMANDS} == DESIGNED


def test_without_arguments_examples_come_first(capsys):
    assert run([], {}) == 0

    out = capsys.readouterr().out
    assert out.index("gamelake demo") < out.index("Commands:")
    assert len(out.splitlines()) <= 24


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_help_page_has_an_example_and_the_common_options(command, capsys):
    assert parse([command.name, "--help"]) is None

    page = capsys.readouterr().out
    assert f"Example: gamelake {command.name}" in " ".join(page.split())
    assert all(option in page for option in ("--json", "--quiet", "--verbose", "--color"))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_example_is_a_valid_command_line(command):
    invocation = parse(shlex.split(command.example)[1:])

    assert invocation is not None
    assert invocation.command is command


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_can_be_loaded(command):
    assert callable(command.load())


def test_a_typo_suggests_the_command_and_runs_nothing(capsys):
    assert run(["pln"], {}) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hint: did you mean 'plan'?" in captured.err


def test_a_wrong_option_names_the_help_page():
    with pytest.raises(UsageError) as caught:
        parse(["sql", "--nope"])

    assert caught.value.hint == "gamelake sql --help"


def test_with_json_a_usage_error_is_one_object(capsys):
    assert run(["pln", "--json"], {}) == 2

    error = json.loads(capsys.readouterr().out)
    assert set(error) == {"error", "code", "subject", "hint"}
    assert (error["code"], error["subject"]) == ("usage", "pln")


def test_a_missing_argument_is_a_usage_error(capsys):
    assert run(["rollback"], {}) == 2
    assert "Missing argument 'RUN'" in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from gamelake.__main__ import run; run(['--help'], {});"
        "print([m for m in ('duckdb', 'pyarrow', 'rich', 'sqlalchemy', 'requests', 'ibis')"
        " if m in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_help_is_quick():
    """Bar: 300 ms on a machine of its own; the fastest of five, for this one may be busy."""
    took = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "gamelake", "--help"], check=True, capture_output=True
        )
        took.append(time.perf_counter() - started)

    assert min(took) < 0.3


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_fits_narrow_and_wide_terminals(columns):
    done = subprocess.run(
        [sys.executable, "-m", "gamelake", "ingest", "--help"],
        env={**os.environ, "COLUMNS": str(columns), "TERMINAL_WIDTH": str(columns)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "--strategy" in done.stdout
    narrowest = 50  # the parser's own limit
    assert max(len(line) for line in done.stdout.splitlines()) <= max(columns, narrowest)


def test_commands_are_suggested_as_they_can_be_typed(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(sys, "argv", [str(Path.cwd() / ".venv/bin/gamelake")])
    assert program_name() == ".venv/bin/gamelake"

    monkeypatch.setattr(sys, "argv", ["/elsewhere/gamelake/__main__.py"])
    assert program_name() == "python -m gamelake"

    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/gamelake")
    assert program_name() == "gamelake"
