"""What other processes do in the publish tests; importable by name, so that children find it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from star_rows import append, publish_record, star_rows

from etl.iceberg_contract import LakeCatalog, PinnedCatalog
from etl.iceberg_embedded import EmbeddedCatalog
from etl.iceberg_schemas import TABLES
from etl.iceberg_writer import BranchWriter
from storage.layout import LakePaths
from utils.errors import Conflict

FEW_TABLES = ("dim_genre", "bridge_game_genre", "fact_game_history")


def key_column(table: str) -> str:
    """Return the column that carries the number of the publish."""
    return TABLES[table].columns[0].name


def publish(
    catalog: LakeCatalog,
    run: str,
    number: int,
    *,
    tables: Sequence[str] = FEW_TABLES,
    fence: int = 1,
) -> None:
    """Publish `number` in every table, as an etl run would: from a fresh branch, then tag."""
    branch = f"etl-{run}"
    catalog.drop_branch(branch)
    start = catalog.create_branch(branch).head
    writer = BranchWriter(catalog, branch)
    written = {}
    for name in tables:
        rows = star_rows(name, [{key_column(name): number}])
        written[name] = writer.replace(name, rows, run_id=run)
    record = publish_record(
        run,
        fence=fence,
        tables={name: result.snapshot_id for name, result in written.items()},
        rows={name: result.rows for name, result in written.items()},
    )
    writer.write_record(record)
    catalog.merge(branch, expected_head=start, fence=fence)
    catalog.tag(f"run-{run}", "main")
    catalog.drop_branch(branch)


def publish_in(home: str, run: str, number: int, tables: Sequence[str] = FEW_TABLES) -> None:
    """Publish from a process of its own."""
    catalog = EmbeddedCatalog(LakePaths(Path(home)))
    publish(catalog, run, number, tables=tables)
    catalog.close()


def contents(commit: PinnedCatalog) -> dict[str, list[int]]:
    """Read the numbers in every table of a commit, from the files that a reader opens."""
    return {
        name: [
            value
            for file in table.data_files
            for value in pq.ParquetFile(file.path).read([key_column(name)])[0].to_pylist()
        ]
        for name, table in commit.tables.items()
    }


def mixed(commit: PinnedCatalog) -> bool:
    """Does the commit hold tables of more than one run, or of another than its record says?"""
    runs = {table.properties["gamelake.run-id"] for table in commit.tables.values()}
    numbers = {tuple(values) for values in contents(commit).values()}
    recorded = {commit.record.run_id} if commit.record else set()
    return runs != recorded or len(numbers) > 1


def poll(home: str, stop_file: str, least: int) -> dict[str, int]:
    """Pin main over and over until told to stop and `least` reads are done.

    A commit that was read before is not opened again: its content is named by its head.
    """
    catalog = EmbeddedCatalog(LakePaths(Path(home)))
    found: dict[str, Any] = {"reads": 0, "commits": 0, "mixed": 0}
    seen: set[str] = set()
    while found["reads"] < least or not Path(stop_file).exists():
        commit = catalog.pin("main")
        found["reads"] += 1
        if commit.head not in seen:
            seen.add(commit.head)
            found["commits"] += 1
            found["mixed"] += mixed(commit)
        time.sleep(0.0005)  # the publishers share this machine
    catalog.close()
    return found


def append_rows(home: str, worker: int, commits: int) -> int:
    """Append one row at a time to what is published, starting again at each conflict."""
    catalog = EmbeddedCatalog(LakePaths(Path(home)))
    done = 0
    while done < commits:
        branch = f"etl-{worker}"
        catalog.drop_branch(branch)
        start = catalog.create_branch(branch).head
        number = worker * 1000 + done
        rows = star_rows("dim_genre", [{"genre_key": number}])
        append(BranchWriter(catalog, branch), "dim_genre", rows, run_id=f"{worker}-{done}")
        try:
            catalog.merge(branch, expected_head=start, fence=1)
        except Conflict:
            continue
        done += 1
    catalog.close()
    return done
