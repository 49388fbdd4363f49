"""`gamelake sql`: ask the lake."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gamelake.options import Sql
from gamelake.session import Session
from serving.engine import QueryEngine
from serving.lake import connect
from serving.output import Format, write
from serving.shell import interact
from utils.config import Settings
from utils.errors import UsageError

if TYPE_CHECKING:
    from serving.dremio_flight import FlightEngine

HISTORY = "sql_history"


def run(options: Sql, session: Session) -> None:
    """Answer one statement, or open a shell when there is none and somebody types."""
    form = _format(options)
    statement = _statement(options, interactive=sys.stdin.isatty())
    with _engine(options, session.settings) as engine:
        if statement is None:
            interact(engine, session.settings.gamelake_home / HISTORY)
            return
        rows = write(
            engine.sql(statement),
            form,
            out=sys.stdout.buffer,
            notes=sys.stderr,
            output=options.output,
        )
    if options.output is not None and options.json:
        told = {"output": str(options.output), "format": form, "rows": rows}
        session.terminal.result(told, "")


def _engine(options: Sql, settings: Settings) -> "QueryEngine | FlightEngine":
    if options.engine == "duckdb":
        return connect(settings, options.at)
    if options.at is not None:
        raise UsageError(
            "--at is for --engine duckdb",
            operation="sql",
            subject="--at",
            hint='in Dremio: SELECT ... FROM nessie.games.fact_games AT TAG "run-..."',
        )
    # Imported here, so that the other engine does not pay for it.
    from serving.dremio_flight import FlightEngine, flight_address  # noqa: PLC0415
    from serving.dremio_login import credentials  # noqa: PLC0415

    return FlightEngine(flight_address(settings), *credentials(settings))


def _statement(options: Sql, *, interactive: bool) -> str | None:
    if options.statement is not None and options.file is not None:
        raise UsageError(
            "a statement and a file were given",
            operation="sql",
            subject="--file",
            hint="give one of them",
        )
    if options.file is not None:
        return _read(options.file)
    if options.statement is None and not interactive:
        return _text(sys.stdin.buffer.read(), "standard input")
    return options.statement


def _read(path: Path) -> str:
    try:
        return _text(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            operation="sql",
            subject=str(path),
            hint="give --file the path of a text file with one statement",
        ) from error


def _text(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{source} is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}",
            operation="sql",
            subject=source,
            hint="save it as UTF-8",
        ) from error


def _format(options: Sql) -> Format:
    """Return what was asked for; else what the file's ending says, else JSON or a table."""
    if options.json and options.output is None and options.format not in (None, "json"):
        raise UsageError(
            "--json and another --format were given",
            operation="sql",
            subject=f"--format {options.format}",
            hint="give one of them, or an --output FILE for the answer",
        )
    if options.format is not None:
        return options.format
    endings: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
    ending = endings.get(options.output.suffix) if options.output is not None else None
    return ending or ("json" if options.json else "table")
