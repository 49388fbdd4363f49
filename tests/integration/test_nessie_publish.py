"""No interleaving of two writers on Nessie mixes their tables or lets an older one win.

Every request of a publish passes a proxy of ours, and there another writer comes in between:
at each single request, then by random schedules of two publishes request by request.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Condition, Thread

import pytest
import requests
from nessie_lab import Numbers, build, numbers, opened, publish
from nessie_proxy import Fate, NessieProxy

from etl.iceberg_catalog import LakeCatalog
from etl.iceberg_verify import missing_files, record_mismatches
from utils.errors import Conflict

pytestmark = pytest.mark.stack


@pytest.fixture
def proxy(stack_settings: dict[str, str]) -> Iterator[NessieProxy]:
    with NessieProxy(stack_settings["NESSIE_URI"]) as running:
        yield running


@pytest.fixture
def catalog(stack_settings: dict[str, str], tmp_path: Path) -> Iterator[LakeCatalog]:
    """Straight to Nessie."""
    with opened(stack_settings, tmp_path / "straight") as straight:
        yield straight


@pytest.fixture
def watched(
    stack_settings: dict[str, str], tmp_path: Path, proxy: NessieProxy
) -> Iterator[LakeCatalog]:
    """By way of the proxy."""
    with opened(stack_settings, tmp_path / "watched", proxy.uri) as by_proxy:
        yield by_proxy


def check_sound(catalog: LakeCatalog) -> None:
    assert record_mismatches(catalog.pin("main")) == []
    assert missing_files(catalog) == []


def test_two_runs_that_changed_different_tables_do_not_both_publish(catalog: LakeCatalog) -> None:
    publish(catalog, "first", 1, "dim_genre", "dim_store")
    start = build(catalog, "one", 2, "dim_genre")
    assert build(catalog, "two", 3, "dim_store") == start
    catalog.merge("etl-one", expected_head=start, fence=1)

    with pytest.raises(Conflict):
        catalog.merge("etl-two", expected_head=start, fence=1)

    assert numbers(catalog) == {"dim_genre": [2], "dim_store": [1]}
    check_sound(catalog)


def test_two_first_publishes_do_not_both_publish(catalog: LakeCatalog) -> None:
    start = build(catalog, "one", 1, "dim_genre")
    build(catalog, "two", 2, "dim_store")
    catalog.merge("etl-one", expected_head=start, fence=1)

    with pytest.raises(Conflict):
        catalog.merge("etl-two", expected_head=start, fence=1)

    assert numbers(catalog) == {"dim_genre": [1]}


def test_a_table_that_another_tool_changed_on_main_is_a_conflict(catalog: LakeCatalog) -> None:
    publish(catalog, "first", 1, "dim_genre", "dim_store")
    start = build(catalog, "one", 2, "dim_genre")
    # Nessie itself would merge this: no table changed on both sides.
    build(catalog, "tool", 9, "dim_store")
    catalog.assign("main", "etl-tool")

    with pytest.raises(Conflict):
        catalog.merge("etl-one", expected_head=start, fence=1)

    assert numbers(catalog) == {"dim_genre": [1], "dim_store": [9]}


def test_what_others_keep_in_nessie_is_neither_in_the_way_nor_lost(
    catalog: LakeCatalog, nessie_uri: str
) -> None:
    publish(catalog, "first", 1, "dim_genre")
    start = build(catalog, "one", 2, "dim_genre")
    put_namespace(nessie_uri, "analysts")

    catalog.merge("etl-one", expected_head=start, fence=1)

    assert numbers(catalog) == {"dim_genre": [2]}
    assert "analysts" in namespaces(nessie_uri)


@pytest.fixture
def nessie_uri(stack_settings: dict[str, str]) -> str:
    return stack_settings["NESSIE_URI"]


def put_namespace(uri: str, name: str) -> None:
    body = {"namespace": [name], "properties": {}}
    requests.post(f"{uri}/iceberg/v1/main/namespaces", json=body, timeout=10).raise_for_status()


def namespaces(uri: str) -> list[str]:
    found = requests.get(f"{uri}/iceberg/v1/main/namespaces", timeout=10).json()
    return [name for (name,) in found["namespaces"]]


def test_one_publish_is_one_commit_on_main(catalog: LakeCatalog, nessie_uri: str) -> None:
    publish(catalog, "a", 1, "dim_genre", "dim_store")
    before = log_of_main(nessie_uri)
    publish(catalog, "b", 2, "dim_genre", "dim_store")

    assert len(log_of_main(nessie_uri)) == len(before) + 1


def log_of_main(uri: str) -> list[str]:
    found = requests.get(f"{uri}/api/v2/trees/main/history", timeout=10).json()
    return [entry["commitMeta"]["hash"] for entry in found["logEntries"]]


def test_main_can_be_read_at_every_commit_it_had(catalog: LakeCatalog, nessie_uri: str) -> None:
    heads = {}
    for run, number in (("a", 1), ("b", 2)):
        publish(catalog, run, number, "dim_genre")
        heads[log_of_main(nessie_uri)[0]] = number
    catalog.assign("main", "run-a")

    assert {commit: numbers(catalog, commit) for commit in heads} == {
        commit: {"dim_genre": [number]} for commit, number in heads.items()
    }


INTRUDERS: dict[str, tuple[Callable[[LakeCatalog, str, int], object], Numbers]] = {
    "a publish of another table": (
        lambda catalog, run, fence: publish(catalog, run, 8, "dim_store", fence=fence),
        {"dim_store": [8]},
    ),
    "a publish of the same table": (
        lambda catalog, run, fence: publish(catalog, run, 8, "dim_genre", fence=fence),
        {"dim_genre": [8]},
    ),
    "a rollback": (
        lambda catalog, _, fence: catalog.assign("main", "run-zero", fence=fence),
        {"dim_genre": [0], "dim_store": [0]},
    ),
}


@pytest.mark.crash
@pytest.mark.parametrize("kind", INTRUDERS)
@pytest.mark.parametrize(
    "newer",
    [
        pytest.param(1, id="newer lease"),
        pytest.param(0, id="same lease", marks=pytest.mark.nightly),
    ],
)
def test_whoever_comes_in_between_two_requests_of_a_merge(
    catalog: LakeCatalog, watched: LakeCatalog, proxy: NessieProxy, *, kind: str, newer: int
) -> None:
    """Who comes in between succeeds; the interrupted merge came first, or conflicts."""
    act, effect = INTRUDERS[kind]
    publish(catalog, "zero", 0, "dim_genre", "dim_store")
    outcomes = []  # was the interrupted merge first?
    for ordinal in range(1, 40):
        fence = 2 * ordinal
        publish(catalog, f"base-{ordinal}", 1, "dim_genre", "dim_store", fence=fence)
        start = build(watched, f"victim-{ordinal}", 5, "dim_genre", fence=fence)
        intruder = Once(ordinal, partial(act, catalog, f"intruder-{ordinal}", fence + newer))
        proxy.watch(intruder.judge)
        try:
            watched.merge(f"etl-victim-{ordinal}", expected_head=start, fence=fence)
            first = True
        except Conflict:
            first = False
        proxy.watch()
        if not intruder.came:
            break
        assert intruder.error is None
        below = {"dim_genre": [5 if first else 1], "dim_store": [1]}
        assert numbers(catalog) == {**below, **effect}, (ordinal, kind)
        check_sound(catalog)
        outcomes.append(first)
    assert outcomes.count(False) > 5
    assert outcomes[-1]


@pytest.mark.crash
def test_another_writer_s_candidate_takes_nothing_back(
    catalog: LakeCatalog, watched: LakeCatalog, proxy: NessieProxy, nessie_uri: str
) -> None:
    """Another writer begins its merge in between: ours is published, or says that it is not."""
    outcomes = []
    for ordinal in range(1, 40):
        publish(catalog, f"base-{ordinal}", 1, "dim_genre", fence=ordinal)
        start = build(watched, f"victim-{ordinal}", 5, "dim_genre", fence=ordinal)
        intruder = Once(ordinal, partial(replace_candidate, nessie_uri))
        proxy.watch(intruder.judge)
        try:
            watched.merge(f"etl-victim-{ordinal}", expected_head=start, fence=ordinal)
            outcomes.append(True)
        except Conflict:
            outcomes.append(False)
        proxy.watch()
        if not intruder.came:
            break
        assert intruder.error is None
        assert numbers(catalog) == {"dim_genre": [5 if outcomes[-1] else 1]}, ordinal
    assert outcomes[-1]
    assert not all(outcomes)


def replace_candidate(uri: str) -> None:
    """Put another candidate in the place of the one that is there; main has moved on since."""
    trees = f"{uri}/api/v2/trees"
    standing = requests.get(f"{trees}/main.next", timeout=10)
    if standing.ok:
        commit = standing.json()["reference"]["hash"]
        url = f"{trees}/main.next@{commit}?type=BRANCH"
        requests.delete(url, timeout=10).raise_for_status()
    source = {"type": "BRANCH", "name": "main", "hash": log_of_main(uri)[1]}
    url = f"{trees}?name=main.next&type=BRANCH"
    requests.post(url, json=source, timeout=10).raise_for_status()


@dataclass
class Once:
    """Acts once, before the request with this ordinal is passed on."""

    ordinal: int
    act: Callable[[], object]
    came: bool = False
    error: Exception | None = None

    def judge(self, number: int, method: str, path: str) -> Fate:
        del method, path
        if number == self.ordinal:
            self.came = True
            try:
                self.act()
            except Exception as error:  # noqa: BLE001 - this is the proxy's thread
                self.error = error
        return "pass"


class Turns:
    """Lets two clients make their requests in an order that a seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._active = [0, 1]
        self._turn = self._random.choice(self._active)
        self._changed = Condition()

    def judge_of(self, client: int) -> Callable[[int, str, str], Fate]:
        def judge(number: int, method: str, path: str) -> Fate:
            del number, method, path
            with self._changed:
                self._changed.wait_for(lambda: self._turn == client)
                self._pass_on()
            return "pass"

        return judge

    def leave(self, client: int) -> None:
        with self._changed:
            self._active.remove(client)
            self._pass_on()

    def _pass_on(self) -> None:
        if self._active:
            self._turn = self._random.choice(self._active)
        self._changed.notify_all()


@pytest.mark.crash
@pytest.mark.parametrize("seed", range(12))
def test_two_publishes_request_by_request(
    catalog: LakeCatalog, stack_settings: dict[str, str], tmp_path: Path, seed: int
) -> None:
    """Each publishes or conflicts; what is published is whole, and the newer lease has the end."""
    publish(catalog, "base", 1, "dim_genre", "dim_store")
    turns = Turns(seed)
    results: dict[int, str] = {}

    def run(client: int, table: str) -> None:
        with NessieProxy(stack_settings["NESSIE_URI"]) as proxy:
            try:
                with opened(stack_settings, tmp_path / str(client), proxy.uri) as own:
                    proxy.watch(turns.judge_of(client))
                    publish(own, f"client-{client}", 5 + client, table, fence=2 + client)
                    results[client] = "published"
            except Conflict:
                results[client] = "conflict"
            finally:
                turns.leave(client)

    threads = [Thread(target=run, args=one) for one in ((0, "dim_genre"), (1, "dim_store"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(results) == {0, 1}
    assert numbers(catalog) == {
        "dim_genre": [5 if results[0] == "published" else 1],
        "dim_store": [6 if results[1] == "published" else 1],
    }
    check_sound(catalog)
    record = catalog.pin("main").record
    assert record is not None
    newest = max((c for c, result in results.items() if result == "published"), default=-1)
    assert record.fence == (1 if newest < 0 else 2 + newest)
