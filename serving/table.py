"""Prints an answer as a table for people: aligned, shortened, safe for a terminal."""

import json
import shutil
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TextIO

from rich.cells import cell_len, set_cell_size

from serving.result import Answer

MAX_ROWS = 100
MIN_CELL, MAX_CELL = 12, 60
_GAP = "  "
_NO_TERMINAL = (200, 24)  # columns and lines where nobody says
_NUMBERS = (int, float, Decimal)


def write_table(result: Answer, out: IO[bytes], notes: TextIO) -> int:
    """Write the first 100 rows of `result` to `out`, how many there are to `notes`."""
    rows, total = _first_rows(result)
    for line in render(result.columns, rows):
        out.write(line.encode() + b"\n")
    out.flush()
    shown = f"first {len(rows)} of {total:,} rows; --format csv gives all"
    notes.write(f"({shown if total > len(rows) else _plural(total)})\n")
    return total


def _first_rows(result: Answer) -> tuple[list[list[object]], int]:
    rows: list[list[object]] = []
    total = 0
    for batch in result.batches():
        head = batch.slice(0, MAX_ROWS - len(rows))
        rows.extend([list(row) for row in zip(*[c.to_pylist() for c in head.columns], strict=True)])
        total += batch.num_rows
    return rows, total


def render(columns: list[str], rows: list[list[object]]) -> list[str]:
    """Return the lines of the table: header, rule, rows; numbers are aligned to the right."""
    if columns == ["explain_key", "explain_value"]:
        return [line for row in rows for line in str(row[1]).splitlines()]
    cells = [[_text(value) for value in row] for row in rows]
    natural = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    width = _narrowed(natural, shutil.get_terminal_size(_NO_TERMINAL).columns)
    right = [_is_number(column) for column in zip(*rows, strict=True)] or [False] * len(columns)
    lines = [_line(row, width, right) for row in (columns, *cells)]
    return [lines[0], _GAP.join("-" * w for w in width), *lines[1:]]


def _narrowed(natural: list[int], available: int) -> list[int]:
    """Take from the widest columns until a row fits `available`, but leave each readable."""
    width = [min(MAX_CELL, size) for size in natural]
    room = available - len(_GAP) * (len(width) - 1)
    while sum(width) > room and max(width) > MIN_CELL:
        width[width.index(max(width))] -= 1
    return width


def _line(row: list[str], width: list[int], right: list[bool]) -> str:
    cells = []
    for text, size, is_right in zip(row, width, right, strict=True):
        pad = " " * max(0, size - cell_len(text))
        cells.append(pad + text if is_right else _fit(text, size) + pad)
    return _GAP.join(cells).rstrip()


def _fit(text: str, size: int) -> str:
    return text if cell_len(text) <= size else set_cell_size(text, size - 1) + "…"


def _is_number(column: tuple[object, ...]) -> bool:
    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(v, _NUMBERS) and not isinstance(v, bool) for v in known)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    text = value if isinstance(value, str) else _structured(value)
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cf") else c for c in text)


def _structured(value: object) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _plural(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
