"""Any sequence of raw rows, applied in any batches, gives the star of one full build."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from etl_lake import manifest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from raw_builder import Row, game, lookup, named, platform, raw_table, store, tag, year_counts

from etl.build import build_full, build_incremental, open_raw
from etl.engine import BuildEngine
from etl.iceberg_catalog import PublishRecord
from etl.iceberg_contract import DataFileInfo
from etl.iceberg_schemas import TABLES
from etl.iceberg_warehouse import LocalFiles
from etl.local_copies import LocalCopies
from etl.raw_source import select_raw
from storage.layout import BROWSE, FILTERED, GAMES, LOOKUPS, YEAR_COUNTS
from storage.object_store import LocalFolderStore
from storage.raw_parts import write_part

Batch = dict[str, list[Row]]
Star = dict[str, list[dict[str, Any]]]

_names = st.sampled_from(["a", "b", None])
_days = st.sampled_from([None, "2020-01-01", "2021-06-30", "2021-02-30", "9999-12-31"])


def _some(entries: st.SearchStrategy[Row]) -> st.SearchStrategy[list[Row] | None]:
    return st.none() | st.lists(entries, max_size=3)


@st.composite
def _games(draw: st.DrawFn) -> Row:
    listing = draw(st.sampled_from([BROWSE, FILTERED]))
    browse = listing == BROWSE
    languages = st.just("eng") if browse else st.sampled_from(["eng", "rus"])
    days = _days if browse else st.none()
    domains = st.sampled_from([None, "x.com", "y.com"]) if browse else st.none()
    ids = st.integers(1, 3)
    return game(
        draw(ids),
        listing=listing,
        released=draw(_days),
        rating=draw(st.sampled_from([0.0, 4.5])),
        added=draw(st.sampled_from([None, 0, 1])),
        platforms=draw(_some(st.builds(platform, ids, days, _names))),
        stores=draw(_some(st.builds(store, ids, domains, _names))),
        genres=draw(_some(st.builds(named, ids, _names))),
        tags=draw(_some(st.builds(tag, ids, languages, _names))),
        esrb_rating=draw(st.none() | st.builds(named, ids, _names)),
    )


@st.composite
def _lookups(draw: st.DrawFn) -> Row:
    listed = draw(st.lists(st.builds(named, st.integers(1, 3)), max_size=3))
    domain = draw(st.sampled_from([None, "z.com"]))
    return lookup(draw(st.integers(1, 3)), draw(_names), domain=domain, platforms=listed)


_years = st.dictionaries(st.sampled_from([None, 2020, 2021]), st.integers(0, 2), min_size=1)
_year_counts = st.just({}) | st.builds(lambda years: {YEAR_COUNTS: year_counts(years)}, _years)


@st.composite
def _batches(draw: st.DrawFn) -> list[Batch]:
    """Draw batches of pages; every page is fetched after the one before it."""
    pages = st.lists(st.lists(_games(), min_size=1, max_size=3), max_size=2)
    others = st.dictionaries(
        st.sampled_from(LOOKUPS), st.lists(_lookups(), min_size=1, max_size=2), max_size=2
    )
    drawn = draw(st.lists(st.tuples(pages, others, _year_counts), min_size=2, max_size=4))
    return [*_stamped(drawn)]


def _stamped(drawn: list[tuple[list[list[Row]], Batch, Batch]]) -> Iterator[Batch]:
    at = 0
    for pages, others, counts in drawn:
        batch: Batch = {GAMES: []}
        for entity, rows in [(GAMES, page) for page in pages] + list((others | counts).items()):
            at += 1
            fetched = game(0, at=at)["_fetched_at"]
            stamped = [{**row, "_fetched_at": fetched, "_payload_hash": str(at)} for row in rows]
            batch.setdefault(entity, []).extend(stamped)
        yield batch


_NO_FILES: dict[str, tuple[DataFileInfo, ...]] = dict.fromkeys(TABLES, ())


class _PlainLake:
    """Raw parts in a folder, and the star as plain parquet: the build without the catalog."""

    def __init__(self, home: Path) -> None:
        self._store = LocalFolderStore(home / "raw")
        self._home = home
        self._builds = 0

    def add(self, run_id: str, batch: Batch) -> None:
        for entity, rows in batch.items():
            table = raw_table(entity, rows)
            write_part(self._store, table, manifest(table, entity, run_id, 1))

    def build(self, record: PublishRecord | None) -> PublishRecord:
        raw = select_raw(self._store, record)
        with BuildEngine(self._home / "tmp") as engine:
            copies = LocalCopies(self._store, LocalFiles(self._home), self._home / "tmp")
            tables = open_raw(engine, copies, raw)
            if record is None:
                changes = build_full(engine, tables)
            else:
                assert not raw.late
                changes = build_incremental(engine, tables, self._published(engine), _NO_FILES)
            for change in changes:
                select = engine.sql(change.content)
                engine.execute(
                    f"COPY ({select}) TO '{self._path(change.name)}.new' (FORMAT parquet)"
                )
        for path in self._home.glob("*.new"):
            path.rename(path.with_suffix(""))
        return PublishRecord("", "", raw.applied(), {}, {}, "", 0)

    def star(self) -> Star:
        with BuildEngine(self._home / "tmp") as engine:
            published = self._published(engine)
            return {n: engine.rows(t.order_by(*TABLES[n].key)) for n, t in published.items()}

    def _published(self, engine: BuildEngine) -> dict[str, Any]:
        return {
            name: engine.parquet(f"main_{name}", [str(self._path(name))], declared.arrow())
            for name, declared in TABLES.items()
        }

    def _path(self, name: str) -> Path:
        return self._home / f"{name}.parquet"


def _applied_one_by_one(batches: list[Batch]) -> Star:
    with TemporaryDirectory() as home:
        lake, record = _PlainLake(Path(home)), None
        for number, batch in enumerate(batches):
            lake.add(f"r{number}", batch)
            record = lake.build(record)
        return lake.star()


def _built_at_once(batches: list[Batch]) -> Star:
    with TemporaryDirectory() as home:
        lake = _PlainLake(Path(home))
        for number, batch in enumerate(batches):
            lake.add(f"r{number}", batch)
        lake.build(None)
        return lake.star()


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(_batches())
def test_incremental_equals_full(batches: list[Batch]) -> None:
    assert _applied_one_by_one(batches) == _built_at_once(batches)
