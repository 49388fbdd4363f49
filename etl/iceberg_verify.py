"""Invariants of the catalog, read from what is stored; `gamelake verify` and crash tests ask."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from etl.iceberg_contract import LakeCatalog, PinnedCatalog, PinnedTable
from utils.errors import GamelakeError, is_refusal


@dataclass(frozen=True)
class Problem:
    """One broken invariant: where it is, and what is wrong there."""

    subject: str
    detail: str


def missing_files(catalog: LakeCatalog) -> list[Problem]:
    """Return every file that a branch or tag needs and that is absent, short or unreadable."""
    size_of = catalog.files.size_of()
    problems: list[Problem] = []
    seen: set[str] = set()
    for name in catalog.references():
        for table in catalog.pin(name).tables.values():
            if table.metadata_location not in seen:
                seen.add(table.metadata_location)
                problems += _broken_files(f"{name}: {table.name}", table, size_of)
    return problems


def _broken_files(
    subject: str, table: PinnedTable, size_of: Callable[[str], int | None]
) -> Iterator[Problem]:
    try:
        files = table.files()
    except GamelakeError as error:
        if is_refusal(error):
            raise
        yield Problem(subject, error.message)
        return
    for path, expected in files.items():
        size = size_of(path)
        if size is None:
            yield Problem(subject, f"{path} is missing")
        elif size == 0 or expected not in (None, size):
            yield Problem(subject, f"{path} has {size} bytes of {expected or 'some'}")


def record_mismatches(commit: PinnedCatalog) -> list[Problem]:
    """Return where the tables of a commit differ from its publish record, which lists them all."""
    if commit.record is None:
        return [Problem(name, "is published without a record") for name in commit.tables]
    tables = commit.tables
    snapshots = {name: table.snapshot_id for name, table in tables.items()}
    rows = {name: table.rows for name, table in tables.items()}
    return [
        *_differences("snapshot", commit.record.tables, snapshots),
        *_differences("row count", commit.record.rows, rows),
    ]


def _differences(
    what: str, recorded: Mapping[str, int], found: Mapping[str, int]
) -> Iterator[Problem]:
    for name in sorted({*recorded, *found}):
        if recorded.get(name) != found.get(name):
            yield Problem(
                name, f"{what} is {found.get(name)}, the record says {recorded.get(name)}"
            )
