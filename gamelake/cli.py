"""The command line: which commands there are, and what their options mean.

Nothing heavy is imported here, so that `--help` is instant; a command's module is imported when
the command runs.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from gamelake import options
from utils.errors import UsageError


@dataclass(frozen=True)
class Command:
    """One command. `help` ends with an example; `doing` is said at once, before heavy imports.

    `own_settings`: the command reads neither environment nor `.env`. `writes`: it logs to a file.
    """

    name: str
    options: type[options.Common]
    help: str
    example: str
    doing: str = ""
    own_settings: bool = False
    writes: bool = False

    def load(self) -> Callable[[Any, Any], None]:
        """Import the command's module and return its `run(options, session)`."""
        module = importlib.import_module(f"gamelake.commands.{self.name.replace('-', '_')}")
        run: Callable[[Any, Any], None] = module.run
        return run


@dataclass(frozen=True)
class Invocation:
    """A command and the options that the user gave it."""

    command: Command
    options: options.Common


COMMANDS = (
    Command(
        "demo",
        options.Demo,
        "From nothing to five answers: a simulated source, no key, no server.",
        "gamelake demo",
        doing="Building a demo lake from a simulated source",
        own_settings=True,
        writes=True,
    ),
    Command(
        "ingest",
        options.Ingest,
        "Fetch what is new or changed.",
        "gamelake ingest --from 2024-01 --to 2024-03",
        doing="Fetching",
        writes=True,
    ),
    Command(
        "plan",
        options.Plan,
        "Show what `ingest` would fetch: windows, requests, quota, time.",
        "gamelake plan --from 2024-01",
        doing="Asking the source what there is",
        writes=True,
    ),
    Command(
        "etl",
        options.Etl,
        "Build the star from raw and publish it, all tables at once.",
        "gamelake etl --full",
        doing="Building",
        writes=True,
    ),
    Command(
        "run",
        options.Run,
        "Ingest, then etl.",
        "gamelake run",
        doing="Fetching, then building",
        writes=True,
    ),
    Command(
        "sql",
        options.Sql,
        "Query the lake, read-only; without a statement a shell.",
        'gamelake sql "SELECT * FROM top_games ORDER BY score DESC LIMIT 10" --format csv',
    ),
    Command("status", options.Common, "Where things stand.", "gamelake status --json"),
    Command("runs", options.Runs, "History of runs.", "gamelake runs show RUN_ID"),
    Command(
        "rollback",
        options.Rollback,
        "Make a published run current again, all tables at once.",
        "gamelake rollback RUN_ID --yes",
        writes=True,
    ),
    Command(
        "check-services",
        options.Common,
        "Is every configured service up, and what to do if not.",
        "gamelake check-services --json",
        doing="Checking",
    ),
    Command(
        "dremio-setup",
        options.DremioSetup,
        "Set up Dremio: first user, sources, documented views; repeat it after the first etl.",
        "gamelake dremio-setup --dry-run",
        doing="Setting up Dremio",
    ),
    Command(
        "simulate",
        options.Simulate,
        "Serve a simulated RAWG.",
        "gamelake simulate --games 50000 --faults recorded --port 8765",
        own_settings=True,
    ),
    Command(
        "verify",
        options.Common,
        "Check the lake's invariants on what is stored.",
        "gamelake verify",
        doing="Verifying",
    ),
    Command(
        "doctor",
        options.Common,
        "Configuration, versions and known traps, each with its fix.",
        "gamelake doctor",
    ),
)


def parse(argv: Sequence[str]) -> Invocation | None:
    """Read a command line; None when the answer was printed (`--help`, completion).

    Raises UsageError, with what was probably meant as its hint.
    """
    group = get_command(_app())
    try:
        found = group.main([*argv], prog_name="gamelake", standalone_mode=False)
    except typer.TyperException as error:
        message, _, guess = error.format_message().partition(" Did you mean ")
        help_of = f"gamelake {argv[0]}" if argv and argv[0] in group_names() else "gamelake"
        raise UsageError(
            message.rstrip("."),
            operation="read the command line",
            subject=" ".join(argv[:1]),
            hint=f"did you mean {guess}" if guess else f"{help_of} --help",
        ) from None
    if not isinstance(found, Invocation):
        return None
    for value in vars(found.options).values():
        if isinstance(value, str):  # a path may be any bytes
            _require_text(value)
    return found


def _require_text(argument: str) -> None:
    """Raise UsageError when Python found bytes that are no text in the locale's encoding."""
    shown = argument.encode(errors="surrogateescape").decode(errors="backslashreplace")
    if shown != argument:
        raise UsageError(
            f"an argument is not {sys.getfilesystemencoding()} text: {shown}",
            operation="read the command line",
            subject=shown,
            hint="write it in UTF-8, in a UTF-8 locale such as LC_ALL=C.UTF-8",
        )


def group_names() -> list[str]:
    """Return the names of all commands, in the order of the help page."""
    return [command.name for command in COMMANDS]


class _InOrder(TyperGroup):
    """Lists the commands in the order in which one uses them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names as declared."""
        del ctx
        return group_names()


def _app() -> typer.Typer:
    app = typer.Typer(
        cls=_InOrder,
        rich_markup_mode=None,  # plain help pages: instant, and good for screen readers
        help="A lakehouse for video-game data: fetch, build, publish, ask.",
        epilog="Exit codes: 0 done, 1 defect, 2 usage, 3 source, 4 quota, 5 checks, 6 locked, "
        "7 service, 8 incomplete, 130 stopped.",
    )
    for command in COMMANDS:
        app.command(
            command.name,
            help=f"{command.help}\n\nExample: {command.example}",
            short_help=command.help,
        )(_callback(command))
    return app


def _callback(command: Command) -> Callable[..., Invocation]:
    """Return a function with the option class's signature: typer reads parameters from it."""

    def callback(**values: Any) -> Invocation:
        return Invocation(command, command.options(**values))

    common = inspect.signature(options.Common).parameters
    declared = inspect.signature(command.options)
    own_first = sorted(declared.parameters.values(), key=lambda p: p.name in common)
    callback.__signature__ = declared.replace(parameters=own_first)  # type: ignore[attr-defined]
    return callback
