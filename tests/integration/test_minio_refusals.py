"""What MinIO refuses is told with the setting to look at, and never with a secret."""

import json
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from minio.credentials.providers import StaticProvider
from minio.minioadmin import MinioAdmin
from minio_lab import MinioLab, new_lab

from storage.minio_bucket import make_bucket
from storage.minio_client import MinioStore, open_minio_store
from testbed.servers import MinioServer
from utils.errors import GamelakeError, ServiceDown

pytestmark = pytest.mark.stack

SECRET = "a-secret-that-is-wrong"  # noqa: S105 - of nobody
CALLS: dict[str, Callable[[MinioStore, Path], object]] = {
    "put": lambda store, _: store.put("a/b", b"one"),
    "put_file": lambda store, folder: store.put_file("a/b", _large(folder)),
    "get": lambda store, _: store.get("a/b"),
    "get_file": lambda store, folder: store.get_file("a/b", folder / "out"),
    "fetch": lambda store, folder: store.fetch(["a/b"], folder),
    "stat": lambda store, _: store.stat("a/b"),
    "list": lambda store, _: list(store.list("")),
    "read_table": lambda store, _: store.read_table(["a/b"]),
}


def _large(folder: Path) -> Path:
    path = folder / "large"
    path.write_bytes(bytes(20 << 20))
    return path


@pytest.fixture
def lab(minio: MinioServer) -> MinioLab:
    return new_lab(minio.start())


@pytest.fixture(params=CALLS)
def failing(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[MinioStore], str]:
    """Return a function that makes the call, which must fail, and returns all that is told."""

    def call(store: MinioStore) -> str:
        with pytest.raises(GamelakeError) as caught:
            CALLS[request.param](store, tmp_path)
        told = json.dumps(caught.value.as_dict())
        assert SECRET not in told + "".join(traceback.format_exception(caught.value))
        return f"{type(caught.value).__name__} {told}"

    return call


def test_a_wrong_secret_key(lab: MinioLab, failing: Callable[[MinioStore], str]) -> None:
    store = open_minio_store(lab.server.endpoint, lab.server.access_key, SECRET, lab.bucket)
    told = failing(store)
    assert "UsageError" in told
    assert "does not accept the secret key" in told
    assert "MINIO_SECRET_KEY" in told


def test_an_unknown_access_key(lab: MinioLab, failing: Callable[[MinioStore], str]) -> None:
    told = failing(open_minio_store(lab.server.endpoint, "nobody", SECRET, lab.bucket))
    assert "UsageError" in told
    assert "does not know the access key" in told
    assert "MINIO_ACCESS_KEY" in told


def test_no_such_bucket(minio: MinioServer, failing: Callable[[MinioStore], str]) -> None:
    told = failing(MinioLab(minio.start(), "never-made").store())
    assert "UsageError" in told
    assert "has no such bucket: never-made/" in told
    assert "MINIO_RAW_BUCKET" in told


def test_a_user_without_rights(lab: MinioLab, failing: Callable[[MinioStore], str]) -> None:
    told = failing(_user(lab, {"s3:GetBucketLocation"}))
    assert "ServiceDown" in told
    assert "denies access" in told
    assert "policy" in told


def test_a_reader_reads_and_does_not_write(lab: MinioLab) -> None:
    lab.store().put("a/b", b"one")
    reader = _user(lab, {"s3:GetObject", "s3:ListBucket"})
    assert reader.get("a/b") == b"one"
    assert reader.stat("a/c") is None
    assert [info.key for info in reader.list("")] == ["a/b"]
    with pytest.raises(ServiceDown, match="denies access"):
        reader.put("a/c", b"one")


def test_tls_is_asked_of_a_port_without(
    lab: MinioLab, failing: Callable[[MinioStore], str]
) -> None:
    told = failing(lab.store(f"https://{lab.server.address}"))
    assert "ServiceDown" in told
    assert "TLS failed" in told
    assert "MINIO_ENDPOINT" in told


def test_buckets_are_made_once(minio: MinioServer) -> None:
    login = (minio.start().endpoint, minio.access_key, minio.secret_key)
    name = f"made-{uuid.uuid4().hex}"
    make_bucket(*login, name)
    open_minio_store(*login, name).put("a", b"one")
    make_bucket(*login, name)
    assert open_minio_store(*login, name).get("a") == b"one"


def _user(lab: MinioLab, actions: set[str]) -> MinioStore:
    """Return the store as a new user sees it who may do `actions` in its bucket."""
    name = f"user-{uuid.uuid4().hex[:8]}"
    resources = [f"arn:aws:s3:::{lab.bucket}", f"arn:aws:s3:::{lab.bucket}/*"]
    allowed = {"Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    root = StaticProvider(lab.server.access_key, lab.server.secret_key)
    admin = MinioAdmin(endpoint=lab.server.address, credentials=root, secure=False)
    admin.user_add(name, SECRET)
    admin.policy_add(name, policy={"Version": "2012-10-17", "Statement": [allowed]})
    admin.policy_set(name, user=name)
    return open_minio_store(lab.server.endpoint, name, SECRET, lab.bucket)
