"""The behaviour suite of the object store contract: every implementation passes all of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from object_stores import STORES, Factory

from storage.object_store import ObjectInfo, ObjectStore
from utils import seams
from utils.errors import Damaged, GamelakeError


@pytest.fixture(params=STORES)
def factory(request: pytest.FixtureRequest) -> Factory:
    made: Factory = request.param(request)
    return made


@pytest.fixture
def store(factory: Factory) -> ObjectStore:
    return factory()


def test_what_was_put_is_read_back(store: ObjectStore) -> None:
    store.put("rawg/games/a.bin", b"\x00one")
    assert store.get("rawg/games/a.bin") == b"\x00one"
    assert store.stat("rawg/games/a.bin") == ObjectInfo("rawg/games/a.bin", 4)


def test_an_empty_object_exists(store: ObjectStore) -> None:
    store.put("a", b"")
    assert store.stat("a") == ObjectInfo("a", 0)
    assert store.get("a") == b""


def test_the_same_bytes_again_are_fine(store: ObjectStore) -> None:
    store.put("a", b"one")
    store.put("a", b"one")
    assert [info.key for info in store.list("")] == ["a"]


@pytest.mark.parametrize("other", [b"two", b"", b"one and more"])
def test_other_bytes_are_refused_and_change_nothing(store: ObjectStore, other: bytes) -> None:
    store.put("a/b", b"one")
    with pytest.raises(GamelakeError, match="a/b exists with other bytes"):
        store.put("a/b", other)
    assert store.get("a/b") == b"one"


def test_files_go_in_and_out(store: ObjectStore, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"x" * 3_000_000)
    store.put_file("a/b", source)
    store.put_file("a/b", source)
    store.get_file("a/b", target)
    assert target.read_bytes() == source.read_bytes()
    source.write_bytes(b"y")
    with pytest.raises(GamelakeError, match="other bytes"):
        store.put_file("a/b", source)


def test_an_absent_key_is_named(store: ObjectStore, tmp_path: Path) -> None:
    assert store.stat("no/such") is None
    reads = (
        lambda: store.get("no/such"),
        lambda: store.get_file("no/such", tmp_path / "out"),
        lambda: store.read_table(["no/such"]),
    )
    for read in reads:
        with pytest.raises(Damaged, match="no/such") as caught:
            read()
        assert caught.value.subject == "no/such"


def test_a_folder_is_not_an_object(store: ObjectStore) -> None:
    store.put("a/b", b"one")
    assert store.stat("a") is None
    with pytest.raises(GamelakeError):
        store.get("a")


def test_list_is_by_prefix_and_sorted_by_key(store: ObjectStore) -> None:
    # '-' sorts before '/', so sorting folder by folder would give another order.
    for key in ("r/b/1", "r/a/2", "r/a/10", "r/a-b/1", "q/1"):
        store.put(key, key.encode())
    assert [info.key for info in store.list("r/a")] == ["r/a-b/1", "r/a/10", "r/a/2"]
    assert [info.key for info in store.list("r/a/")] == ["r/a/10", "r/a/2"]
    assert [info.key for info in store.list("r/a/1")] == ["r/a/10"]
    assert [info.key for info in store.list("")] == ["q/1", "r/a-b/1", "r/a/10", "r/a/2", "r/b/1"]
    assert list(store.list("none/at/all")) == []
    assert next(store.list("r/b")).size == len("r/b/1")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../../b", "./a", "a.tmp"])
def test_a_key_cannot_leave_the_root_or_look_unfinished(store: ObjectStore, key: str) -> None:
    with pytest.raises(GamelakeError, match="is not an object key"):
        store.put(key, b"one")
    assert list(store.list("")) == []


def test_read_table_keeps_the_order_of_keys_and_columns(store: ObjectStore, tmp_path: Path) -> None:
    for key, ids in (("g/run=2/p", [3]), ("g/run=1/p", [1, 2])):
        pq.write_table(pa.table({"id": ids, "name": [str(i) for i in ids]}), tmp_path / "part")
        store.put_file(key, tmp_path / "part")
    both = store.read_table(["g/run=2/p", "g/run=1/p"])
    assert both.to_pydict() == {"id": [3, 1, 2], "name": ["3", "1", "2"]}
    assert store.read_table(["g/run=1/p"], ["name"]).to_pydict() == {"name": ["1", "2"]}
    assert store.read_table([]).num_rows == 0


def test_fetched_files_are_in_the_order_of_keys(store: ObjectStore, tmp_path: Path) -> None:
    keys = [f"g/run={run}/p.parquet" for run in (3, 1, 2)]
    for key in keys:
        store.put(key, key.encode())
    keys.append(keys[0])
    paths = store.fetch(keys, tmp_path / "scratch")
    assert [path.read_bytes().decode() for path in paths] == keys
    assert all(path.suffix == ".parquet" for path in paths)
    assert list(store.fetch([], tmp_path / "scratch")) == []
    with pytest.raises(GamelakeError, match="no/such"):
        store.fetch([*keys, "no/such"], tmp_path / "scratch")


def test_a_failed_read_leaves_no_file(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(GamelakeError):
        store.get_file("no/such", tmp_path / "out")
    with pytest.raises(GamelakeError):
        store.fetch(["no/such"], tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_arrow_reads_a_dataset_of_parts(store: ObjectStore, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2, 3]}), tmp_path / "part")
    keys = [f"g/run={run}/p.parquet" for run in (1, 2)]
    for key in keys:
        store.put_file(key, tmp_path / "part")
    filesystem, root = store.arrow_filesystem()
    dataset = ds.dataset([f"{root}/{key}" for key in keys], filesystem=filesystem)
    assert dataset.count_rows() == 6
    assert dataset.to_table(filter=ds.field("id") == 2).to_pydict() == {"id": [2, 2]}


def test_uri_is_what_an_engine_opens(store: ObjectStore) -> None:
    store.put("a/b", b"one")
    uri = store.uri("a/b")
    assert uri.startswith("s3://") or Path(uri).read_bytes() == b"one"


def test_nothing_can_be_deleted(store: ObjectStore) -> None:
    public = [name for name in dir(store) if not name.startswith("_")]
    assert sorted(public) == sorted(name for name in dir(ObjectStore) if not name.startswith("_"))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failed_put_can_be_tried_again(store: ObjectStore, when: seams.When) -> None:
    fault = seams.Fault("error", when, "store.put", 1)
    seams.arm(fault)
    try:
        with pytest.raises(OSError, match="No space left"):
            store.put("a/b", b"one")
    finally:
        seams.arm(None)
    assert fault.fired == 1
    assert (store.stat("a/b") is None) == (when == "before")
    store.put("a/b", b"one")
    assert store.get("a/b") == b"one"


def _accepts(store: ObjectStore, key: str, value: bytes) -> bool:
    try:
        store.put(key, value)
    except GamelakeError as error:
        if "other bytes" not in error.message:
            raise
        return False
    return True


def test_of_many_writers_of_one_key_one_wins(store: ObjectStore) -> None:
    values = [str(number).encode() for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        accepted = pool.map(lambda value: _accepts(store, "a/b", value), values)
        won = [value for value, done in zip(values, accepted, strict=True) if done]
    assert won == [store.get("a/b")]


_parts = st.text("ab-=._0", min_size=1, max_size=4).filter(
    lambda part: part not in (".", "..") and not part.endswith(".tmp")
)
_keys = st.lists(_parts, min_size=2, max_size=2).map("/".join)  # no key is another's folder


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.dictionaries(_keys, st.binary(max_size=9), max_size=6), prefix=_keys | st.just(""))
def test_it_lists_like_a_dict(factory: Factory, data: dict[str, bytes], prefix: str) -> None:
    store = factory()
    for key, value in data.items():
        store.put(key, value)
    expected = sorted((key, len(data[key])) for key in data if key.startswith(prefix))
    assert [(info.key, info.size) for info in store.list(prefix)] == expected
    assert {key: store.get(key) for key in data} == data


_few = st.sampled_from(["a/1", "a/2", "a-b/1", "b=c/1"])
_steps = st.one_of(
    st.tuples(st.just("put"), _few, st.sampled_from([b"", b"one", b"two"])),
    st.tuples(st.just("get"), _few, st.none()),
    st.tuples(st.just("stat"), _few, st.none()),
    st.tuples(st.just("list"), st.sampled_from(["", "a", "a/", "b", "z"]), st.none()),
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(_steps, max_size=20))
def test_in_any_order_of_calls_it_is_a_dict_that_refuses_to_change(
    factory: Factory, steps: list[tuple[str, str, bytes | None]]
) -> None:
    store, model = factory(), dict[str, bytes]()
    for verb, key, value in steps:
        if value is not None and verb == "put":
            assert _accepts(store, key, value) == (model.setdefault(key, value) == value)
        elif verb == "list":
            wanted = [ObjectInfo(k, len(v)) for k, v in sorted(model.items()) if k.startswith(key)]
            assert list(store.list(key)) == wanted
        elif verb == "stat":
            size = len(model[key]) if key in model else None
            assert store.stat(key) == (None if size is None else ObjectInfo(key, size))
        elif key in model:
            assert store.get(key) == model[key]
        else:
            with pytest.raises(GamelakeError, match=key):
                store.get(key)
