"""Lakes on a real Nessie, and what the tests of publishing there ask of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from publish_workers import key_column
from star_rows import publish_record, star_rows

from etl.iceberg_catalog import LakeCatalog, open_catalog
from etl.iceberg_record import RUN_PROPERTY
from etl.iceberg_writer import BranchWriter
from utils.config import load_settings

Numbers = dict[str, list[int]]


def open_at(servers: Mapping[str, str], home: Path, uri: str | None = None) -> LakeCatalog:
    """Open the lake of these servers; `uri` is another way to Nessie."""
    here = {**servers, "GAMELAKE_HOME": str(home)}
    return open_catalog(load_settings(here | ({"NESSIE_URI": uri} if uri else {}), None))


@contextmanager
def opened(servers: Mapping[str, str], home: Path, uri: str | None = None) -> Iterator[LakeCatalog]:
    """Open the lake and close it again."""
    catalog = open_at(servers, home, uri)
    try:
        yield catalog
    finally:
        catalog.close()


def build(catalog: LakeCatalog, run: str, number: int, *tables: str, fence: int = 1) -> str:
    """Write `number` in these tables on branch etl-`run`, from main; return main's head then."""
    branch = f"etl-{run}"
    catalog.drop_branch(branch)
    start = catalog.create_branch(branch).head
    before = catalog.pin(branch)
    writer = BranchWriter(catalog, branch)
    snapshots = {name: table.snapshot_id for name, table in before.tables.items()}
    rows = {name: table.rows for name, table in before.tables.items()}
    for name in tables:
        batch = star_rows(name, [{key_column(name): number}])
        result = writer.replace(name, batch, run_id=run)
        snapshots[name], rows[name] = result.snapshot_id, result.rows
    writer.write_record(publish_record(run, fence=fence, tables=snapshots, rows=rows))
    return start


def publish(catalog: LakeCatalog, run: str, number: int, *tables: str, fence: int = 1) -> str:
    """Publish `number` in these tables as an etl run would; return main's new head."""
    start = build(catalog, run, number, *tables, fence=fence)
    head = catalog.merge(f"etl-{run}", expected_head=start, fence=fence).head
    catalog.tag(f"run-{run}", f"etl-{run}")
    catalog.drop_branch(f"etl-{run}")
    return head


def numbers(catalog: LakeCatalog, ref: str = "main") -> Numbers:
    """Return the numbers in every table, from the files that a reader opens."""
    found = {}
    for name, table in catalog.pin(ref).tables.items():
        files = catalog.files.dataset([file.path for file in table.data_files], table.schema)
        found[name] = files.to_table([key_column(name)])[0].to_pylist()
    return found


def writers(catalog: LakeCatalog, ref: str = "main") -> dict[str, str]:
    """Return the run that wrote each table."""
    return {n: t.properties[RUN_PROPERTY] for n, t in catalog.pin(ref).tables.items()}
