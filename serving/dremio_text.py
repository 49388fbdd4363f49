"""The curated views and their documentation as Dremio wants them.

A view in a space has to say `AT BRANCH` after every table of a Nessie source; without it Dremio
refuses to save the view. So the text of serving/views/*.sql gets path and branch put around
exactly the bare names that follow FROM or JOIN. The tables themselves are repeated in the space
as views of one line: there a bare name finds tables and views alike, as it does in DuckDB.
"""

import re
from collections.abc import Iterable

from etl.iceberg_schemas import TABLES, StarTable
from serving.describe import describe_table, describe_view
from serving.view_files import View
from storage.layout import MAIN, NAMESPACE, VIEWS_SCHEMA

NESSIE = "nessie"  # names of the sources in Dremio; none is a reserved word there
RAW = "raw"
SPACE = VIEWS_SCHEMA
# By these marks a later run knows what it may change.
SQL_MARK = "/* Made by gamelake dremio-setup, which overwrites changes made here. */"
WIKI_MARK = "_Written by gamelake dremio-setup. To keep a text of your own, remove this line._"

_CODE = re.compile(r"--[^\n]*\n?|'(?:[^']|'')*'|[^-']+|-")
_NAME = re.compile(r"\b(FROM|JOIN)(\s+)([a-z_][a-z0-9_]*)\b(?!\s*[.(])", re.IGNORECASE)
_COMMON = re.compile(r"(?:\bWITH\s|,)\s*([a-z_][a-z0-9_]*)\s+AS\s*\(", re.IGNORECASE)


def view_sql(view: View, views: Iterable[str]) -> str:
    """Return the text of `view` for the space; `views` are the names of all curated views."""
    others = frozenset(views)
    pieces = _CODE.findall(view.sql)
    code = "".join(piece for piece in pieces if not piece.startswith(("--", "'")))
    own = {name.lower() for name in _COMMON.findall(code)}

    def qualified(found: re.Match[str]) -> str:
        word, gap, name = found.groups()
        key = name.lower()
        if key in TABLES and key not in own:
            return f"{word}{gap}{table_path(key)} AT BRANCH {MAIN}"
        return f"{word}{gap}{SPACE}.{name}" if key in others - own else found[0]

    # A piece of code between two texts is whole: no name crosses a quote.
    said = (p if p.startswith("'") else _NAME.sub(qualified, p) for p in pieces if p[:2] != "--")
    return f"{SQL_MARK}\n{''.join(said).strip()}\n"


def table_view_sql(table: StarTable) -> str:
    """Return the text of the view that repeats `table` in the space."""
    columns = ",\n".join(f"  {column.name}" for column in table.columns)
    return f"{SQL_MARK}\nSELECT\n{columns}\nFROM {table_path(table.name)} AT BRANCH {MAIN}\n"


def table_path(name: str) -> str:
    """Return the path of a star table in the Nessie source."""
    return f"{NESSIE}.{NAMESPACE}.{name}"


def view_wiki(view: View) -> str:
    """Return the wiki text of a curated view."""
    reads = sorted(view.references & TABLES.keys())
    tables = [f"Tables: {', '.join(f'`{name}`' for name in reads)}.", ""] if reads else []
    return _wiki(view.name, *describe_view(view), "", *tables)


def table_wiki(table: StarTable) -> str:
    """Return the wiki text of a star table."""
    return _wiki(table.name, *describe_table(table), "")


def space_wiki(views: Iterable[View]) -> str:
    """Return the wiki text of the space: which view answers which question."""
    rows = [
        f"| `{view.name}` | {view.header['question']} | {view.header['grain']} |"
        for view in sorted(views, key=lambda view: view.name)
    ]
    return _wiki(
        "Video games",
        "Start with a view that asks your question; its wiki names the trap it avoids. The tables "
        f"of the star are here too, as they are in `{NESSIE}.{NAMESPACE}` on branch `{MAIN}`. An "
        f'earlier publish: `{table_path("fact_games")} AT TAG "run-..."`.',
        "",
        "| view | question | grain |",
        "|---|---|---|",
        *rows,
        "",
        f"Tables: {', '.join(f'`{name}`' for name in TABLES)}.",
        "",
    )


def source_wiki(title: str, *lines: str) -> str:
    """Return the wiki text of a source."""
    return _wiki(title, *lines, "")


def table_tags(table: StarTable) -> tuple[str, ...]:
    """Return the labels of a star table."""
    kinds = {"fact": "fact", "dim": "dimension", "bridge": "bridge"}
    return ("gamelake", kinds[table.name.partition("_")[0]])


VIEW_TAGS = ("gamelake", "curated")


def _wiki(title: str, *lines: str) -> str:
    return "\n".join((f"# {title}", "", *lines, WIKI_MARK))
