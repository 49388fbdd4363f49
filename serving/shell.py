"""The interactive SQL shell: history, statements over several lines, errors that do not end it."""

import readline
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, TextIO

from serving.gate import shorten
from serving.output import write
from serving.result import Engine
from utils.errors import GamelakeError, UsageError

PROMPT, MORE = "gamelake> ", "     ...> "
HELP = """End a statement with ';', on one line or several. Ctrl-C drops it, or stops its query.
.tables         tables and views
.schema NAME    columns of a table or view, what they mean
.help           this page
.quit           leave (or Ctrl-D)
Try: SELECT genre, rated_games, avg_rating FROM genre_summary ORDER BY avg_rating DESC;"""
_HISTORY_LINES = 2_000


class Shell:
    """Reads lines, answers statements; `read_line` raises EOFError at the end of input."""

    def __init__(
        self,
        engine: Engine,
        read_line: Callable[[str], str],
        *,
        out: IO[bytes],
        notes: TextIO,
    ) -> None:
        self._engine = engine
        self._read_line = read_line
        self._out = out
        self._notes = notes
        self._pending: list[str] = []

    def run(self) -> None:
        """Serve until .quit or the end of input."""
        while True:
            try:
                line = self._read_line(MORE if self._pending else PROMPT)
            except EOFError:
                return
            except KeyboardInterrupt:
                self._pending.clear()
                self._notes.write("\n")
                continue
            if line.strip() in (".quit", ".exit"):
                return
            self._accept(line)

    def _accept(self, line: str) -> None:
        try:
            if line.lstrip().startswith(".") and not self._pending:
                self._command(line.split())
            elif line.strip() or self._pending:
                self._pending.append(line)
                if line.rstrip().endswith(";"):
                    self._answer("\n".join(self._pending))
        except GamelakeError as error:
            self._pending.clear()
            self._notes.write(
                f"{error.message}\n" + (f"hint: {error.hint}\n" if error.hint else "")
            )

    def _answer(self, text: str) -> None:
        self._pending.clear()
        if text.strip(" ;\n"):
            write(self._engine.sql(text), "table", out=self._out, notes=self._notes)

    def _command(self, words: list[str]) -> None:
        match words:
            case [".tables"]:
                self._print(*sorted(self._engine.tables), "", *sorted(self._engine.views))
            case [".schema", name]:
                self._print(*self._schema(name.lower()))
            case [".help"]:
                self._print(HELP)
            case _:
                raise UsageError(
                    f"unknown command {shorten(' '.join(words))}",
                    operation="shell",
                    subject=words[0],
                    hint=".help lists the commands; statements end with ';'",
                )

    def _schema(self, name: str) -> list[str]:
        name = name.rpartition(".")[2]
        documented = self._engine.tables.get(name)
        if documented is None:
            documented = self._engine.sql(f'SELECT * FROM "{name}"').schema()
        lines = []
        for field in documented:
            doc = (field.metadata or {}).get(b"doc", b"").decode()
            lines.append(f"{field.name:24} {field.type!s:16} {doc}".rstrip())
        return lines

    def _print(self, *lines: str) -> None:
        self._out.write("".join(f"{line}\n" for line in lines).encode())
        self._out.flush()


def interact(engine: Engine, history: Path) -> None:
    """Run the shell on the terminal; lines are kept in the file `history`, where it can be."""
    if history.is_file():
        readline.read_history_file(history)
    readline.set_history_length(_HISTORY_LINES)
    sys.stderr.write("gamelake: read-only SQL. .help for help, .quit to leave\n")
    try:
        Shell(engine, input, out=sys.stdout.buffer, notes=sys.stderr).run()
    finally:
        if history.parent.is_dir():
            readline.write_history_file(history)
