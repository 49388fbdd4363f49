"""What the user sees: data on stdout, everything else on stderr, no secret on either."""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TextIO

from gamelake.options import Common
from utils.redact import Redactor

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
Style = Literal["bold", "dim", "red", "green", "yellow"]


@dataclass(frozen=True)
class Terminal:
    """Where output goes and how it may look.

    `animated`: lines may be redrawn (a terminal, and nobody asked for plain output).
    """

    json: bool = False
    verbosity: int = 0
    color: bool = False
    animated: bool = False
    interactive: bool = False
    redact: Redactor = field(default_factory=lambda: Redactor(()))
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    def result(self, data: Mapping[str, Any] | Sequence[Any], text: str) -> None:
        """Print the command's result: `data` as one JSON document, or `text` for people."""
        shown = json.dumps(data, default=str, ensure_ascii=False) if self.json else text
        print(self.redact(shown), file=self.out, flush=True)

    def note(self, text: str) -> None:
        """Say something about the work, on stderr; silent with -q."""
        if self.verbosity >= 0:
            print(self.redact(text), file=self.err, flush=True)

    def next_steps(self, *commands: str) -> None:
        """Suggest what to do now; for people only."""
        if not self.json and commands:
            program = program_name()
            steps = (command.replace("gamelake ", f"{program} ", 1) for command in commands)
            self.note("\n".join(["Next:", *(f"  {step}" for step in steps)]))

    def failure(self, message: str, hint: str = "") -> None:
        """Print one line on what went wrong, and how to go on, on stderr; also with -q."""
        print(self.redact(f"{self.paint('error', 'red')}: {message}"), file=self.err)
        if hint:
            print(self.redact(f"{self.paint('hint', 'bold')}: {hint}"), file=self.err)
        self.err.flush()

    def paint(self, text: str, style: Style) -> str:
        """Return `text` in a style where colour is on; it never carries the meaning alone."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.color else text


def terminal_for(options: Common, environ: Mapping[str, str], redact: Redactor) -> Terminal:
    """Return the terminal that options, environment and the streams allow."""
    dumb = environ.get("TERM") == "dumb"
    calm = dumb or any(environ.get(name) for name in ("CI", "ACCESSIBLE"))
    tty = sys.stderr.isatty()
    return Terminal(
        json=options.json,
        verbosity=options.verbosity,
        color=_wants_color(options, environ, tty=sys.stdout.isatty() and tty and not dumb),
        animated=tty and not calm and not options.json and not options.quiet,
        interactive=sys.stdin.isatty() and tty and not environ.get("CI"),
        redact=redact,
    )


def program_name() -> str:
    """Return what the user has to type to run us again: not everybody's PATH has us."""
    if shutil.which("gamelake"):
        return "gamelake"
    called = Path(sys.argv[0])
    if called.name == "gamelake" and called.is_absolute():
        return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called)
    return str(called) if called.name == "gamelake" else "python -m gamelake"


def _wants_color(options: Common, environ: Mapping[str, str], *, tty: bool) -> bool:
    """NO_COLOR wins over FORCE_COLOR; `--color` wins over both (no-color.org, force-color.org)."""
    if options.color != "auto":
        return options.color == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or tty


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as aligned text; numbers stand to the right and carry thousands separators."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    right = [
        bool(rows) and isinstance(value, int | float) for value in (rows[0] if rows else header)
    ]
    lines = [
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in (header, *cells)
    ]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
