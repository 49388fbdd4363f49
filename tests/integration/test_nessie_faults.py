"""Nessie that loses answers, fails, restarts, is away or was emptied: nothing lost or doubled."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from nessie_lab import build, numbers, opened, publish
from nessie_proxy import Fate, NessieProxy

from etl.iceberg_catalog import LakeCatalog
from etl.iceberg_verify import missing_files, record_mismatches
from testbed.servers import NessieServer
from utils.errors import ServiceDown, UsageError

pytestmark = pytest.mark.stack
TABLES = ("dim_genre", "fact_game_history")


@pytest.fixture
def proxy(stack_settings: dict[str, str]) -> Iterator[NessieProxy]:
    with NessieProxy(stack_settings["NESSIE_URI"]) as running:
        yield running


@pytest.fixture
def catalog(stack_settings: dict[str, str], tmp_path: Path) -> Iterator[LakeCatalog]:
    with opened(stack_settings, tmp_path / "straight") as straight:
        yield straight


def check(catalog: LakeCatalog, run: str, number: int) -> None:
    """The run is published once, whole, and tagged."""
    commit = catalog.pin("main")
    assert numbers(catalog) == {name: [number] for name in TABLES}
    assert [len(table.data_files) for table in commit.tables.values()] == [1, 1]
    assert commit.record is not None
    assert commit.record.run_id == run
    assert record_mismatches(commit) == []
    assert catalog.references()[f"run-{run}"].head == commit.head
    assert missing_files(catalog) == []


@pytest.mark.crash
@pytest.mark.parametrize(
    "fate",
    [
        "lose",
        pytest.param("cut", marks=pytest.mark.nightly),
        pytest.param("500", marks=pytest.mark.nightly),
        pytest.param("refuse", marks=pytest.mark.nightly),
        pytest.param("503", marks=pytest.mark.nightly),
    ],
)
def test_every_request_of_a_publish_fails_once(
    stack_settings: dict[str, str],
    tmp_path: Path,
    proxy: NessieProxy,
    catalog: LakeCatalog,
    *,
    fate: Fate,
) -> None:
    """The publish goes through, or says that Nessie failed and goes through when asked again."""
    publish(catalog, "r0", 0, *TABLES)
    ordinal, again = 0, []
    while True:
        ordinal += 1
        run = f"{fate}-{ordinal}"
        proxy.watch(lambda n, *_, at=ordinal: fate if n == at else "pass")
        with opened(stack_settings, tmp_path / "watched", proxy.uri) as watched:
            try:
                publish(watched, run, ordinal, *TABLES)
            except ServiceDown:
                again.append(proxy.seen[ordinal - 1])
                publish(watched, run, ordinal, *TABLES)
        if len(proxy.seen) < ordinal:
            break
        check(catalog, run, ordinal)
    assert ordinal > 25
    assert len(again) < ordinal / 4, again


@pytest.mark.parametrize(
    "asked",
    [
        "GET .*/entries",
        "GET .*/trees/tree/etl-r1",
        "POST .*/merge",
        "PUT .*/main",
        "POST .*/tables/dim_genre$",
        "POST .*/properties",
    ],
)
def test_an_answer_that_breaks_off_is_no_end_of_a_publish(
    stack_settings: dict[str, str],
    tmp_path: Path,
    proxy: NessieProxy,
    catalog: LakeCatalog,
    *,
    asked: str,
) -> None:
    """As when Nessie dies while it answers: headers, and half of the body."""
    publish(catalog, "r0", 0, *TABLES)
    cut: list[str] = []

    def judge(_: int, method: str, path: str) -> Fate:
        if cut or not re.match(asked, f"{method} {path.partition('?')[0]}"):
            return "pass"
        cut.append(path)
        return "cut"

    with opened(stack_settings, tmp_path / "watched", proxy.uri) as watched:
        watched.pin("main")
        proxy.watch(judge)
        publish(watched, "r1", 1, *TABLES)
    assert cut
    check(catalog, "r1", 1)


def test_a_first_answer_that_breaks_off_is_a_server_that_is_down(
    stack_settings: dict[str, str], tmp_path: Path, proxy: NessieProxy
) -> None:
    proxy.watch(lambda *_: "cut")
    with (
        opened(stack_settings, tmp_path / "watched", proxy.uri) as watched,
        pytest.raises(ServiceDown, match="the connection broke"),
    ):
        watched.pin("main")


@pytest.mark.crash
@pytest.mark.parametrize(
    "at",
    [*(4, 16, 22), *(pytest.param(at, marks=pytest.mark.nightly) for at in (2, 7, 10, 13, 19, 25))],
)
def test_nessie_is_killed_and_comes_back_in_the_middle_of_a_publish(
    stack_settings: dict[str, str],
    tmp_path: Path,
    proxy: NessieProxy,
    nessie: NessieServer,
    *,
    at: int,
) -> None:
    """The publish waits for it, and what was acknowledged before is still there."""

    def judge(number: int, *_: str) -> Fate:
        if number != at:
            return "pass"
        nessie.kill()
        back = Timer(0.5, nessie.start)
        back.start()
        timers.append(back)
        return "refuse"

    timers: list[Timer] = []
    with opened(stack_settings, tmp_path / "lake") as catalog:
        publish(catalog, "r0", 0, *TABLES)
    with opened(stack_settings, tmp_path / "lake", proxy.uri) as watched:
        proxy.watch(judge)
        try:
            publish(watched, "r1", 1, *TABLES)
        finally:
            for timer in timers:
                timer.join()
        assert timers
        check(watched, "r1", 1)


def test_a_server_that_hangs_is_told_in_seconds(
    stack_settings: dict[str, str], tmp_path: Path, nessie: NessieServer
) -> None:
    with opened(stack_settings, tmp_path / "lake") as catalog:
        nessie.pause()
        started = time.monotonic()
        try:
            with pytest.raises(ServiceDown, match="no answer in time"):
                catalog.pin("main")
        finally:
            nessie.resume()
        assert time.monotonic() - started < 8
        assert catalog.pin("main").tables == {}


def test_a_server_that_is_not_there_is_told_at_once(
    stack_settings: dict[str, str], tmp_path: Path
) -> None:
    with opened(stack_settings, tmp_path / "lake", "http://127.0.0.1:9") as catalog:
        started = time.monotonic()
        with pytest.raises(ServiceDown) as caught:
            catalog.pin("main")
    assert time.monotonic() - started < 2
    assert "NESSIE_URI" in caught.value.hint


def test_a_server_that_goes_away_for_good_is_waited_for_a_while(
    stack_settings: dict[str, str], tmp_path: Path, nessie: NessieServer
) -> None:
    with opened(stack_settings, tmp_path / "lake") as catalog:
        catalog.pin("main")
        nessie.kill()
        started = time.monotonic()
        with pytest.raises(ServiceDown, match="does not answer"):
            publish(catalog, "r", 1, "dim_genre")
        assert 10 < time.monotonic() - started < 25
        started = time.monotonic()
        with pytest.raises(ServiceDown):
            catalog.pin("main")
        assert time.monotonic() - started < 2


def test_what_is_not_nessie_is_a_usage_error(
    stack_settings: dict[str, str], tmp_path: Path
) -> None:
    """MinIO's address in the place of Nessie's, as after a slip in .env; and a path too much."""
    nessie = stack_settings["NESSIE_URI"]
    for uri in (stack_settings["MINIO_ENDPOINT"], f"{nessie}/api/v2", f"{nessie}/iceberg"):
        with (
            opened(stack_settings, tmp_path / "lake", uri) as catalog,
            pytest.raises(UsageError, match="is not Nessie") as caught,
        ):
            catalog.pin("main")
        assert "NESSIE_URI" in caught.value.hint


def test_a_slash_at_the_end_of_the_address_is_fine(
    stack_settings: dict[str, str], tmp_path: Path
) -> None:
    uri = stack_settings["NESSIE_URI"] + "/"
    with opened(stack_settings, tmp_path / "lake", uri) as catalog:
        publish(catalog, "r", 1, "dim_genre")
        assert numbers(catalog) == {"dim_genre": [1]}


def test_a_nessie_that_was_emptied_in_mid_run_is_told_and_built_upon_again(
    catalog: LakeCatalog, nessie: NessieServer
) -> None:
    publish(catalog, "r0", 0, *TABLES)
    start = build(catalog, "r1", 1, *TABLES)

    nessie.reset()

    with pytest.raises(ServiceDown, match="lost the branch") as caught:
        catalog.merge("etl-r1", expected_head=start, fence=1)
    assert "NESSIE_URI" in (caught.value.hint + caught.value.subject)
    assert catalog.pin("main").tables == {}
    publish(catalog, "r2", 2, *TABLES)
    check(catalog, "r2", 2)


def test_a_bucket_of_another_name_than_nessies_is_told(
    stack_settings: dict[str, str], tmp_path: Path
) -> None:
    servers = {**stack_settings, "MINIO_WAREHOUSE_BUCKET": stack_settings["MINIO_RAW_BUCKET"]}
    with (
        opened(servers, tmp_path / "lake") as catalog,
        pytest.raises(UsageError, match="MINIO_WAREHOUSE_BUCKET"),
    ):
        publish(catalog, "r", 1, "dim_genre")
