"""Where output goes, and how it may look."""

import io
import json

import pytest

from gamelake.options import Common
from gamelake.terminal import Terminal, table, terminal_for
from utils.redact import Redactor


def terminal(**changes: object) -> Terminal:
    streams = {"out": io.StringIO(), "err": io.StringIO()}
    return Terminal(**{**streams, **changes})


def test_the_result_goes_to_stdout_and_notes_to_stderr():
    shown = terminal()

    shown.note("working")
    shown.result({"a": 1}, "one")

    assert (shown.out.getvalue(), shown.err.getvalue()) == ("one\n", "working\n")


def test_json_is_one_document():
    shown = terminal(json=True)

    shown.result({"a": 1}, "one")
    shown.next_steps("gamelake etl")

    assert json.loads(shown.out.getvalue()) == {"a": 1}
    assert shown.err.getvalue() == ""


def test_quiet_keeps_the_result_and_errors():
    shown = terminal(verbosity=-1)

    shown.note("working")
    shown.result({}, "one")
    shown.failure("broken", "mend it")

    assert shown.out.getvalue() == "one\n"
    assert shown.err.getvalue() == "error: broken\nhint: mend it\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_shown(as_json):
    shown = terminal(json=as_json, redact=Redactor(["canary-key-1"]))

    shown.result({"url": "x?key=canary-key-1"}, "canary-key-1")
    shown.note("canary-key-1")
    shown.failure("canary-key-1", "canary-key-1")

    assert "canary" not in shown.out.getvalue() + shown.err.getvalue()


@pytest.mark.parametrize(
    ("asked", "environ", "colored"),
    [
        ("auto", {}, False),  # not a terminal
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_follows_option_then_environment(asked, environ, colored):
    assert terminal_for(Common(color=asked), environ, Redactor(())).color is colored


@pytest.mark.parametrize("name", ["CI", "ACCESSIBLE"])
def test_nothing_is_redrawn_where_it_disturbs(monkeypatch, name):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)

    assert terminal_for(Common(), {}, Redactor(())).animated
    assert not terminal_for(Common(), {name: "1"}, Redactor(())).animated
    assert not terminal_for(Common(), {"TERM": "dumb"}, Redactor(())).animated
    assert not terminal_for(Common(json=True), {}, Redactor(())).animated


def test_a_table_aligns_text_left_and_numbers_right():
    text = table(("game", "votes", "mean"), [("Doom", 1234, 4.5), ("Go", None, 3.0)])

    assert text.splitlines() == [
        "game  votes  mean",
        "Doom  1,234  4.50",
        "Go        -  3.00",
    ]


def test_a_table_without_rows_is_its_header():
    assert table(("game", "votes"), []) == "game  votes"
