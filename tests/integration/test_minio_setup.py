"""Who may do what in the object store: each user of the stack, on a real MinIO."""

import io
import uuid
from collections.abc import Callable, Mapping

import pytest
from minio import Minio
from minio.error import S3Error

from storage.minio_client import open_minio_store
from storage.minio_roles import RAW, ROLES, WAREHOUSE
from storage.minio_setup import main, set_up
from testbed.servers import MinioServer
from utils.errors import ServiceDown, UsageError

pytestmark = pytest.mark.stack

Attempt = Callable[[Minio, str], object]
ATTEMPTS: Mapping[str, Attempt] = {
    "read": lambda client, bucket: client.get_object(bucket, "seed").close(),
    "list": lambda client, bucket: list(client.list_objects(bucket)),
    "write": lambda client, bucket: client.put_object(bucket, "new", io.BytesIO(b"x"), 1),
    "delete": lambda client, bucket: client.remove_object(bucket, "seed"),
    "remove the bucket": lambda client, bucket: client.remove_bucket(bucket),
    "open to all": lambda client, bucket: client.set_bucket_policy(bucket, "{}"),
    "make another": lambda client, bucket: client.make_bucket(f"{bucket}2"),
}
READ = {"read", "list"}
APPEND = READ | {"write"}
CHANGE = APPEND | {"delete"}
ALLOWED = {
    "INGEST": {RAW: APPEND},
    "ETL": {RAW: READ, WAREHOUSE: CHANGE},
    "ANALYST": {RAW: READ, WAREHOUSE: READ},
    "NESSIE": {WAREHOUSE: CHANGE},
    "GAMELAKE": {RAW: APPEND, WAREHOUSE: CHANGE},
}


@pytest.fixture
def environ(minio: MinioServer) -> dict[str, str]:
    """What docker-compose.yml hands over, with names of this test alone."""
    minio.start()
    mark = uuid.uuid4().hex[:8]
    login = {
        f"MINIO_{role.name}_{half}": f"{role.name.lower()}-{mark}-{half.lower()}"
        for role in ROLES
        for half in ("ACCESS_KEY", "SECRET_KEY")
    }
    root = {"MINIO_ROOT_USER": minio.access_key, "MINIO_ROOT_PASSWORD": minio.secret_key}
    buckets = {RAW: f"raw-{mark}", WAREHOUSE: f"warehouse-{mark}"}
    return {"MINIO_ENDPOINT": minio.endpoint, **root, **buckets, **login}


def client(minio: MinioServer, environ: Mapping[str, str], role: str) -> Minio:
    keys = (environ[f"MINIO_{role}_ACCESS_KEY"], environ[f"MINIO_{role}_SECRET_KEY"])
    return Minio(minio.address, *keys, secure=False, region="us-east-1")


def answer(attempt: Attempt, user: Minio, bucket: str) -> str | None:
    """Return the code that an attempt was refused with, None where it was allowed."""
    try:
        attempt(user, bucket)
    except S3Error as error:
        return error.code
    return None


@pytest.mark.parametrize("variable", [RAW, WAREHOUSE])
@pytest.mark.parametrize("role", sorted(ALLOWED))
def test_a_user_may_do_its_task_and_nothing_else(minio, environ, role, variable):
    set_up(environ)
    bucket, user = environ[variable], client(minio, environ, role)
    minio.client().put_object(bucket, "seed", io.BytesIO(b"x"), 1)

    answers = {name: answer(attempt, user, bucket) for name, attempt in ATTEMPTS.items()}

    allowed = ALLOWED[role].get(variable, set())
    assert answers == {name: None if name in allowed else "AccessDenied" for name in ATTEMPTS}


def test_the_store_s_own_writes_are_within_the_rights_of_ingest(environ):
    set_up(environ)
    keys = environ["MINIO_INGEST_ACCESS_KEY"], environ["MINIO_INGEST_SECRET_KEY"]
    store = open_minio_store(environ["MINIO_ENDPOINT"], *keys, environ[RAW])

    store.put("a", b"1")
    store.put("a", b"1")

    assert store.get("a") == b"1"
    assert store.stat("b") is None


def test_a_second_time_changes_nothing(environ):
    assert set_up(environ) == set_up(environ)


def test_a_new_secret_replaces_the_old_one(minio, environ):
    set_up(environ)
    old = client(minio, environ, "ANALYST")
    changed = {**environ, "MINIO_ANALYST_SECRET_KEY": "another-secret"}

    set_up(changed)

    assert list(client(minio, changed, "ANALYST").list_objects(environ[RAW])) == []
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        list(old.list_objects(environ[RAW]))


def test_rights_given_by_hand_are_taken_back(minio, environ):
    set_up(environ)
    admin_of = {**environ, "MINIO_ANALYST_ACCESS_KEY": environ["MINIO_ETL_ACCESS_KEY"]}
    set_up(admin_of)  # the ETL user now has an analyst's policy

    set_up(environ)

    put = ATTEMPTS["write"]
    put(client(minio, environ, "ETL"), environ[WAREHOUSE])


def test_what_is_missing_is_named_before_anything_is_made(minio, environ):
    del environ["MINIO_NESSIE_SECRET_KEY"]

    with pytest.raises(UsageError) as raised:
        set_up(environ)

    assert raised.value.subject == "MINIO_NESSIE_SECRET_KEY"
    assert not minio.client().bucket_exists(environ[RAW])


def test_a_server_that_is_not_there_is_told(environ):
    with pytest.raises(ServiceDown, match="does not answer"):
        set_up({**environ, "MINIO_ENDPOINT": "127.0.0.1:1"})


def test_a_wrong_root_password_is_told_and_not_shown(environ, monkeypatch, capsys):
    for name, value in {**environ, "MINIO_ROOT_PASSWORD": "not-this-one"}.items():
        monkeypatch.setenv(name, value)

    assert main() == 2

    said = capsys.readouterr()
    assert "does not accept the secret key" in said.err
    assert "not-this-one" not in said.err
