"""Raw parts: a manifest makes a part exist, and says what it holds."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifests import manifest
from object_stores import STORES

from storage.layout import manifest_key
from storage.object_store import LocalFolderStore, ObjectStore
from storage.raw_parts import (
    PageRef,
    RawPart,
    list_parts,
    next_part_number,
    part_problems,
    write_part,
)
from utils.errors import Damaged, GamelakeError

ONE = pa.table({"id": [1]})


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> ObjectStore:
    made: ObjectStore = request.param(request)()
    return made


def test_a_part_comes_back_as_it_was_written(store: ObjectStore) -> None:
    pages = (PageRef("2020-01", 1, 100, 40), PageRef("2020-01", 2, 100, 40))
    part = write_part(store, ONE, manifest(pages=pages, number=7))
    assert part.key == "rawg/games/run=20261121t015200-000000/part-00007.parquet"
    assert list_parts(store, "rawg", "games") == [part]
    assert store.read_table([part.key]).equals(ONE)
    assert len(part.manifest.sha256) == 64
    assert part.manifest.bytes == len(store.get(part.key))


def test_parts_are_zstd(store: ObjectStore) -> None:
    part = write_part(store, ONE, manifest())
    column = pq.read_metadata(io.BytesIO(store.get(part.key))).row_group(0).column(0)
    assert column.compression == "ZSTD"


def test_a_part_of_no_rows_accounts_for_its_pages(store: ObjectStore) -> None:
    part = write_part(store, ONE.slice(0, 0), manifest(rows=0, new=0, unchanged=1))
    assert store.read_table([part.key]).num_rows == 0
    assert part_problems(store, part) == []


def test_a_part_without_manifest_does_not_exist_but_its_number_is_taken(
    store: ObjectStore,
) -> None:
    run = manifest().run_id
    assert next_part_number(store, "rawg", "games", run) == 1
    write_part(store, ONE, manifest(number=1))
    store.put(f"rawg/games/run={run}/part-00002.parquet", b"its writer died")
    assert [part.manifest.number for part in list_parts(store, "rawg", "games")] == [1]
    assert next_part_number(store, "rawg", "games", run) == 3


def test_parts_are_ordered_by_run_and_number_and_chosen_by_run(store: ObjectStore) -> None:
    for run_id, number in (("2-b", 2), ("2-b", 1), ("1-a", 100_000), ("1-a", 99_999)):
        write_part(store, ONE, manifest(run_id=run_id, number=number))
    write_part(store, ONE, manifest(entity="genres", run_id="1-a"))
    keys = [(p.manifest.run_id, p.manifest.number) for p in list_parts(store, "rawg", "games")]
    assert keys == [("1-a", 99_999), ("1-a", 100_000), ("2-b", 1), ("2-b", 2)]
    assert len(list_parts(store, "rawg", "games", "2-b")) == 2
    assert len(list_parts(store, "rawg", "games", "2")) == 0


def test_the_same_part_again_is_fine_another_is_refused(store: ObjectStore) -> None:
    first = write_part(store, ONE, manifest())
    assert write_part(store, ONE, manifest()) == first
    with pytest.raises(GamelakeError, match="other bytes"):
        write_part(store, pa.table({"id": [2]}), manifest())


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields | {"surprise": 1},
        lambda fields: {name: fields[name] for name in fields if name != "rows"},
        lambda fields: fields | {"rows": "many"},
        lambda fields: fields | {"pages": [{"window": "w", "page": 1}]},
    ],
    ids=["unknown field", "missing field", "wrong type", "short page"],
)
def test_a_manifest_of_another_shape_is_refused(store: ObjectStore, change) -> None:
    written = write_part(store, ONE, manifest())
    fields = json.loads(store.get(manifest_key(written.key)))
    store.put("rawg/other/run=1/part-00001.manifest.json", json.dumps(change(fields)).encode())
    with pytest.raises(Damaged, match=r"run=1/part-00001\.manifest\.json cannot"):
        list_parts(store, "rawg", "other")


def test_a_garbled_manifest_and_a_cut_part_are_damage(tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path / "raw")
    part = write_part(store, ONE, manifest())
    Path(store.uri(part.key)).write_bytes(b"PAR1")
    with pytest.raises(Damaged, match=r"part-00001\.parquet is damaged") as caught:
        store.read_table([part.key])
    assert "verify" in caught.value.hint

    Path(store.uri(manifest_key(part.key))).write_bytes(b"\xff\x00")
    with pytest.raises(Damaged, match="cannot be read") as caught:
        list_parts(store, "rawg", "games")
    assert (caught.value.exit_code, "verify" in caught.value.hint) == (7, True)


def test_problems_name_the_part(tmp_path: Path) -> None:
    store = LocalFolderStore(tmp_path / "raw")
    part = write_part(store, ONE, manifest())
    assert part_problems(store, part) == []
    path = Path(store.uri(part.key))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert part_problems(store, part) == [
        f"{part.key}: its bytes are not those the manifest recorded"
    ]
    path.unlink()
    assert "missing" in part_problems(store, part)[0]


def test_rows_that_do_not_add_up_are_a_problem(store: ObjectStore) -> None:
    short = write_part(store, ONE, manifest(number=1, rows=2))
    assert part_problems(store, short) == [f"{short.key}: it does not hold 2 rows"]
    lost = write_part(store, ONE, manifest(number=2, pages=(PageRef("w", 1, 2, 2),)))
    assert part_problems(store, lost) == [f"{lost.key}: 2 rows seen are not all accounted for"]
    assert isinstance(lost, RawPart)
