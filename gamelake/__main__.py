"""The entry point: one command line in, one exit code out, no traceback unless asked for."""

import io
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gamelake.cli import Invocation, parse
from gamelake.options import Common
from gamelake.session import Interrupts, Session
from gamelake.terminal import Terminal, terminal_for
from gamelake.welcome import WELCOME
from storage.layout import LakePaths
from utils import seams
from utils.config import Settings, load_settings
from utils.errors import GamelakeError, Report, Stopped, exit_code, storage_refused
from utils.log import set_up_logging
from utils.redact import Redactor


def main() -> None:
    """Run this process's command line and exit with its code."""
    _open_missing_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):  # JSON is UTF-8; a path may be any bytes
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    seams.arm_from(os.environ)
    sys.exit(run(sys.argv[1:], os.environ))


def _open_missing_streams() -> None:
    """Put the null device where whoever started us closed a stream (`<&-`, some schedulers)."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run `gamelake ARGV` and return the exit code of DESIGN section 3."""
    asked = Common(json="--json" in argv)
    terminal = terminal_for(asked, environ, Redactor(()))
    try:
        invocation = _understood(argv, terminal)
    except BrokenPipeError:
        return _reader_left()
    except OSError as error:
        return _report(storage_refused(error, operation="write to stdout"), terminal)
    except GamelakeError as error:
        return _report(error, terminal)
    return 0 if invocation is None else _execute(invocation, environ)


def _understood(argv: Sequence[str], terminal: Terminal) -> Invocation | None:
    """Return the command; None when a page was the answer."""
    if argv:
        return parse(argv)
    terminal.result({}, WELCOME)
    return None


def _execute(invocation: Invocation, environ: Mapping[str, str]) -> int:
    command, options = invocation.command, invocation.options
    terminal = terminal_for(options, environ, Redactor(()))
    session = Session(terminal, Settings(), environ, Interrupts(terminal))
    try:
        if not command.own_settings:
            session = _configured(session, invocation)
        with _logging(invocation, session), session.interrupts.handled():
            if command.doing:
                session.terminal.note(f"{command.doing} ...")
            command.load()(options, session)
            session.terminal.out.flush()
    except BrokenPipeError:
        return _reader_left()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the one place that may
        return _fail(error, invocation, session)
    return 0


def _configured(session: Session, invocation: Invocation) -> Session:
    """Read the settings; from here on, nothing that is printed holds a secret."""
    settings = load_settings(session.environ)
    redact = Redactor(settings.secrets())
    terminal = terminal_for(invocation.options, session.environ, redact)
    return replace(session, settings=settings, terminal=terminal)


def _fail(error: Exception | KeyboardInterrupt, invocation: Invocation, session: Session) -> int:
    terminal = session.terminal
    known = _expected(error, invocation.command.name, interrupted=session.interrupts.seen)
    if invocation.options.traceback or (known is None and terminal.verbosity > 0):
        terminal.err.write(terminal.redact("".join(traceback.format_exception(error))))
    return _report(known or _defect(error, session), terminal, session.done)


def _expected(
    error: Exception | KeyboardInterrupt, command: str, *, interrupted: bool
) -> GamelakeError | None:
    """Return the error a user can act on; None for a defect of ours."""
    if isinstance(error, GamelakeError):
        return error
    if interrupted or isinstance(error, KeyboardInterrupt):
        hint = "the same command continues where this one stopped"
        return Stopped("stopped", operation=command, hint=hint)
    if isinstance(error, OSError):  # no space, no permission, a path that is a file
        return storage_refused(error, operation=command)
    return None


def _defect(error: Exception | KeyboardInterrupt, session: Session) -> GamelakeError:
    """Store the traceback in a file of its own; return the one line that names it."""
    text = session.terminal.redact("".join(traceback.format_exception(error)))
    home = LakePaths(session.settings.gamelake_home)
    folder = home.logs if home.home.is_dir() else Path(tempfile.gettempdir())
    path = folder / f"defect-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        where = f"report it with {path}"
    except OSError:
        where = "repeat it with --traceback and report what it prints"
    return GamelakeError(
        f"this is a defect of gamelake: {type(error).__name__}: {error}",
        operation="run",
        hint=where,
    )


def _report(
    error: GamelakeError, terminal: Terminal, done: Mapping[str, Report] | None = None
) -> int:
    """Print the error, with what the run had done until then as part of the JSON object.

    `done`: the steps that had ended, by name.
    """
    try:
        if terminal.json:
            steps = {name: step.as_dict() for name, step in (done or {}).items()}
            own = {} if error.report is None else error.report.as_dict()
            terminal.result({**steps, **own, **error.as_dict()}, "")
        terminal.out.flush()
    except OSError:  # that may be the very error; stderr and the exit code still tell
        _leave_stdout()
    terminal.failure(error.message, error.hint)
    return exit_code(error)


@contextmanager
def _logging(invocation: Invocation, session: Session) -> Iterator[None]:
    folder = LakePaths(session.settings.gamelake_home).logs if invocation.command.writes else None
    logging = set_up_logging(
        folder, verbosity=invocation.options.verbosity, redact=session.terminal.redact
    )
    try:
        yield
    finally:
        logging.close()


def _reader_left() -> int:
    """Whoever read our output closed it (`| head`): fine."""
    _leave_stdout()
    return 0


def _leave_stdout() -> None:
    """Keep Python from writing there again, and complaining, at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


if __name__ == "__main__":
    main()
