"""What a table or a view means, as Markdown: for docs/data-dictionary.md and Dremio's wiki."""

from collections.abc import Iterator

from etl.iceberg_schemas import StarTable
from serving.view_files import View


def describe_table(table: StarTable) -> Iterator[str]:
    """Yield the lines on `table`: grain, key, and every column with type, null and meaning."""
    grain = table.grain[0].upper() + table.grain[1:].rstrip(".")
    yield f"{grain}. Key: {', '.join(f'`{name}`' for name in table.key)}."
    yield ""
    yield "| column | type | null | meaning |"
    yield "|---|---|---|---|"
    for column in table.columns:
        null = "no" if column.required else "yes"
        yield f"| `{column.name}` | {column.type} | {null} | {_cell(column.doc)} |"


def describe_view(view: View) -> Iterator[str]:
    """Yield the lines on `view`: grain, question and trap."""
    for key in ("grain", "question", "trap"):
        yield f"- {key.capitalize()}: {view.header[key]}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
