"""Every command line in the documentation is one that gamelake takes, options included."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamelake.cli import Invocation, parse
from utils.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"(?:^|[\s/(])(?:gamelake|\$G) (?=([a-z].*))")  # several in a line
MADE = re.compile(r"\bmake ([a-z-]+) ARGS=(\"[^\"]*\"|\S+)")
SHELL = {"|", "||", "&&", ";", ")", "&", "<(", ">("}


def code(text: str) -> Iterator[str]:
    """Yield each line of code blocks, and each piece of code in the text."""
    for block in FENCE.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    for piece in re.findall(r"`([^`]+)`", FENCE.sub("", text)):
        yield " ".join(piece.split())


def words(line: str) -> list[str]:
    """Return the words of a command line, up to what belongs to the shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    found = list(lexer)
    ends = [at for at, word in enumerate(found) if word in SHELL]
    return found[: ends[0]] if ends else found


def commands(text: str) -> Iterator[list[str]]:
    """Yield the arguments of gamelake in every line of code that calls it."""
    makes = dict(
        re.findall(
            r"^([a-z-]+):.*\n\t@\$\(GAMELAKE\) (\S+) ", (ROOT / "Makefile").read_text(), re.M
        )
    )
    for line in code(text):
        yield from map(words, OURS.findall(line))
        for target, args in MADE.findall(line):
            if target in makes:
                yield [makes[target], *words(shlex.split(args)[0])]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_in_the_docs_is_taken(path):
    for argv in commands(path.read_text(encoding="utf-8")):
        assert isinstance(parse(argv), Invocation), argv


def test_a_command_that_is_not_there_is_noticed():
    (argv,) = commands("`A=b .venv/bin/gamelake etl\n--nowhere | cat`")

    with pytest.raises(UsageError, match="--nowhere"):
        parse(argv)


def test_the_commands_are_found():
    found = list(commands((ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")))

    assert ["run", "--wait", "600", "-q"] in found
    assert ["ingest", "--from", "2024-01", "--to", "2024-01"] in found
    assert ["sql", "--format", "csv", "$Q"] in found
    assert ["etl", "--engine", "spark"] in found
    assert len(found) > 30
