"""The interactive shell, driven by a script of lines."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from literal_star import game, pin

from serving.engine import QueryEngine
from serving.shell import MORE, Shell

Session = Callable[..., tuple[str, str, list[str]]]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with QueryEngine(pin(tmp_path, fact_games=[game(1, name="Doom")])) as engine:
        yield lambda *lines: _played(engine, list(lines))


def _played(engine: QueryEngine, lines: list[str]) -> tuple[str, str, list[str]]:
    out, notes, prompts = io.BytesIO(), io.StringIO(), []

    def read_line(prompt: str) -> str:
        prompts.append(prompt)
        if not lines:
            raise EOFError
        line = lines.pop(0)
        if line == "^C":
            raise KeyboardInterrupt
        return line

    Shell(engine, read_line, out=out, notes=notes).run()
    return out.getvalue().decode(), notes.getvalue(), prompts


def test_a_statement_may_go_over_lines(session: Session) -> None:
    out, notes, prompts = session("SELECT name", "FROM fact_games", ";")

    assert "Doom" in out
    assert notes == "(1 row)\n"
    assert prompts[1:3] == [MORE, MORE]


def test_an_error_does_not_end_it(session: Session) -> None:
    out, notes, _ = session("SELECT * FROM fact_game;", "DROP VIEW fact_games;", "SELECT 7 AS n;")

    assert "hint: did you mean fact_games?" in notes
    assert "read-only" in notes
    assert "7" in out


def test_tables_and_views_are_listed(session: Session) -> None:
    out, _, _ = session(".tables")

    assert {"fact_games", "bridge_game_tag", "games_clean", "data_gaps"} <= set(out.split())
    assert "pinned" not in out


def test_a_schema_says_what_columns_mean(session: Session) -> None:
    out, _, _ = session(".schema games.fact_games", ".schema top_games")

    assert "0.0 means fewer than 6 votes" in out
    assert "score" in out


@pytest.mark.parametrize("line", [".schema", ".nonsense", ".schema nothing_here"])
def test_a_wrong_command_gets_a_hint(session: Session, line: str) -> None:
    _, notes, _ = session(line)

    assert "hint: " in notes


def test_help_and_quit(session: Session) -> None:
    out, _, prompts = session(".help", ".quit", "SELECT 1;")

    assert ".schema NAME" in out
    assert len(prompts) == 2


def test_ctrl_c_drops_the_statement_begun(session: Session) -> None:
    out, _, prompts = session("SELECT nonsense", "^C", "SELECT 5 AS n;")

    assert "5" in out
    assert prompts[2] != MORE


def test_empty_statements_are_passed_over(session: Session) -> None:
    assert session("", ";", "  ;")[:2] == ("", "")
