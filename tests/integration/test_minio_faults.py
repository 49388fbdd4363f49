"""MinIO that dies, hangs or loses answers: an error in seconds, and the same call goes on."""

import random
import time
from pathlib import Path

import pytest
from crash import run
from cutting_proxy import Cut, CuttingProxy
from minio_lab import MinioLab, new_lab

from storage import minio_http
from storage.minio_client import PART_BYTES, open_minio_store
from testbed.servers import MinioServer
from utils.errors import ServiceDown
from utils.seams import Fault, When

pytestmark = pytest.mark.stack

SMALL = b"small"
LARGE = random.Random(7).randbytes(2 * PART_BYTES + 1)
SECONDS = 10.0  # the most that a call may take with MinIO gone
REQUESTS = {
    "put": (b"PUT /", SMALL),
    "begin": (b"?uploads=", LARGE),
    "part": (b"partNumber=2", LARGE),
    "complete": (b"?uploadId=", LARGE),
}
ALWAYS = 10_000


@pytest.fixture
def lab(minio: MinioServer) -> MinioLab:
    return new_lab(minio.start())


@pytest.fixture(params=REQUESTS)
def broken(request: pytest.FixtureRequest) -> tuple[bytes, bytes]:
    """A request that goes wrong, and the data whose upload sends it."""
    return REQUESTS[request.param]


@pytest.mark.parametrize("before", [False, True], ids=["answer", "request"])
def test_one_lost_exchange_is_repeated(
    lab: MinioLab, broken: tuple[bytes, bytes], before: bool
) -> None:
    pattern, data = broken
    cut = Cut(pattern, before=before)
    with CuttingProxy(lab.server.address, cut) as proxy:
        lab.through(proxy).put("a/b", data)
    assert cut.done == 1
    assert lab.store().get("a/b") == data


@pytest.mark.parametrize("before", [False, True], ids=["answer", "request"])
def test_what_is_lost_every_time_is_an_error_and_can_be_repeated(
    lab: MinioLab, broken: tuple[bytes, bytes], before: bool
) -> None:
    pattern, data = broken
    cut = Cut(pattern, before=before, times=ALWAYS)
    with CuttingProxy(lab.server.address, cut) as proxy:
        store = lab.through(proxy)
        started = time.monotonic()
        with pytest.raises(ServiceDown, match="the connection broke") as caught:
            store.put("a/b", data)
        assert time.monotonic() - started < SECONDS
        assert "MINIO_ENDPOINT" in caught.value.hint
        applied = lab.store().stat("a/b") is not None
        assert applied == (not before and pattern in (b"PUT /", b"?uploadId="))
        proxy.cut = None
        store.put("a/b", data)
    assert lab.store().get("a/b") == data


@pytest.mark.parametrize("times", [1, ALWAYS])
def test_a_download_that_breaks_off_is_repeated_or_told(
    lab: MinioLab, tmp_path: Path, times: int
) -> None:
    lab.store().put("a/b", LARGE)
    cut = Cut(b"GET /", after=PART_BYTES, times=times)
    with CuttingProxy(lab.server.address, cut) as proxy:
        store = lab.through(proxy)
        if times == 1:
            assert store.fetch(["a/b"], tmp_path)[0].read_bytes() == LARGE
        else:
            with pytest.raises(ServiceDown, match="the connection broke"):
                store.fetch(["a/b"], tmp_path)
            assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert cut.done == min(times, 2)


def test_a_listing_that_breaks_off_is_an_error_not_the_end(lab: MinioLab) -> None:
    lab.store().put("a/b", SMALL)
    with CuttingProxy(lab.server.address, Cut(b"GET /", after=300, times=ALWAYS)) as proxy:
        store = lab.through(proxy)
        with pytest.raises(ServiceDown, match="does not answer"):
            list(store.list(""))


@pytest.mark.parametrize("pattern", [b"partNumber=2", b"?uploadId="], ids=["part", "complete"])
def test_minio_killed_in_mid_upload(lab: MinioLab, pattern: bytes) -> None:
    kill = Cut(pattern, before=True, times=ALWAYS, then=lab.server.kill)
    with CuttingProxy(lab.server.address, kill) as proxy:
        started = time.monotonic()
        with pytest.raises(ServiceDown):
            lab.through(proxy).put("a/b", LARGE)
        assert time.monotonic() - started < SECONDS
    store = lab.store()
    with pytest.raises(ServiceDown, match="refused"):
        store.stat("a/b")
    lab.server.restart()
    assert store.stat("a/b") is None
    assert list(store.list("")) == []
    store.put("a/b", LARGE)
    assert store.get("a/b") == LARGE


def test_what_was_acknowledged_is_there_after_a_kill(lab: MinioLab) -> None:
    store = lab.store()
    for number in range(20):
        store.put(f"a/{number:02}", SMALL * number)
    store.put("a/large", LARGE)
    lab.server.restart()
    sizes = [info.size for info in store.list("a/")]  # over the connections of before
    assert sizes == [*(len(SMALL) * number for number in range(20)), len(LARGE)]
    assert store.get("a/large") == LARGE


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_minio_that_hangs_is_given_up(
    lab: MinioLab, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minio_http, "ANSWER_S", 0.5)
    store = lab.store()
    store.put("a/a", SMALL)  # a connection is open
    lab.server.pause()
    try:
        started = time.monotonic()
        with pytest.raises(ServiceDown, match="no answer in time"):
            store.put("a/b", data)
        assert time.monotonic() - started < SECONDS
    finally:
        lab.server.resume()
    store.put("a/b", data)
    assert store.get("a/b") == data


def test_a_slow_line_is_no_error(lab: MinioLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minio_http, "CONNECT_S", 0.5)  # urllib3's limit for a send, too
    with CuttingProxy(lab.server.address, pause=0.01) as proxy:
        started = time.monotonic()
        lab.through(proxy).put("a/b", LARGE)
        assert time.monotonic() - started > 1
    assert lab.store().get("a/b") == LARGE


def _store_both(endpoint: str, access_key: str, secret_key: str, bucket: str) -> None:
    store = open_minio_store(endpoint, access_key, secret_key, bucket)
    store.put("small", SMALL)
    store.put("large", LARGE)


@pytest.mark.crash
@pytest.mark.parametrize("when", ["before", "after"])
def test_we_are_killed_at_every_operation(minio: MinioServer, when: When) -> None:
    minio.start()
    ordinal, killed = 0, True
    while killed:
        ordinal += 1
        lab = new_lab(minio)
        login = (minio.endpoint, minio.access_key, minio.secret_key, lab.bucket)
        killed = run(_store_both, *login, fault=Fault("kill", when, "*", ordinal)).killed
        _store_both(*login)
        assert lab.store().get("small") == SMALL
        assert lab.store().get("large") == LARGE
    assert ordinal == 1 + 7  # two puts; begin, three parts, complete
