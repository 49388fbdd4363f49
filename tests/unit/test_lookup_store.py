"""Look-ups in raw: what a source says badly is kept as well, wherever the writing stops."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from game_rows import Row, named, results

from ingestion.lookup_store import StoredLookups, store_lookups
from storage.layout import QUARANTINE, SOURCE_RAWG
from storage.object_store import LocalFolderStore
from storage.raw_parts import list_parts, part_problems
from utils import seams
from utils.clock import FetchClock, SystemClock

STEAM, BAD = named(1, "Steam"), {"id": 2, "name": 7}
PUTS = 4  # a quarantine part and a look-up, each with its manifest


@dataclass
class Source:
    """A client whose stores are these rows; the other look-ups are empty."""

    stores: list[Row] = field(default_factory=list)

    def lookup(self, entity: str) -> bytes:
        return results(*self.stores) if entity == "stores" else b"[]"


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    seams.arm(None)


def stored(source: Source, store: LocalFolderStore, run: str = "r1") -> StoredLookups:
    return store_lookups(source, store, run, FetchClock(SystemClock()))  # type: ignore[arg-type]


def held(store: LocalFolderStore, entity: str, column: str) -> list[list[str]]:
    """Return a column of each part; every part is whole."""
    parts = list_parts(store, SOURCE_RAWG, entity)
    assert [problem for part in parts for problem in part_problems(store, part)] == []
    return [store.read_table([part.key], [column])[column].to_pylist() for part in parts]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("put", range(1, PUTS + 1))
def test_bad_rows_are_kept_wherever_the_writing_stops(
    tmp_path: Path, put: int, when: seams.When
) -> None:
    source, store = Source([STEAM, BAD]), LocalFolderStore(tmp_path)
    fault = seams.Fault("error", when, "store.put", put)
    seams.arm(fault)
    with pytest.raises(OSError, match="injected"):
        stored(source, store)
    assert fault.fired == 1
    seams.arm(None)
    assert stored(source, store, "r2").bad == 1
    assert held(store, "stores", "name") == [["Steam"]]
    assert ['{"id": 2, "name": 7}'] in held(store, QUARANTINE, "payload")


def test_rows_that_say_the_same_are_stored_once_and_counted_each_time(tmp_path: Path) -> None:
    source, store = Source([STEAM, BAD]), LocalFolderStore(tmp_path)
    first, second = stored(source, store), stored(source, store, "r2")
    assert (first.changed, first.bad) == (("stores",), 1)
    assert (second.changed, second.bad, second.bytes) == ((), 1, 0)


def test_bad_rows_are_news_of_their_own(tmp_path: Path) -> None:
    source, store = Source([STEAM]), LocalFolderStore(tmp_path)
    assert stored(source, store).bad == 0
    for number, bad in enumerate(([BAD], [BAD, {"id": 3}], [{"id": 3}])):
        source.stores = [STEAM, *bad]
        assert stored(source, store, f"s{number}").changed == ()
    source.stores = [BAD]  # and nothing good: what is known of the stores stays
    assert stored(source, store, "t").changed == ()

    assert [len(payloads) for payloads in held(store, QUARANTINE, "payload")] == [1, 2, 1, 1]
    assert held(store, "stores", "name") == [["Steam"]]
