"""`check-services` on real servers: each one that is down is named with its remedy, in time."""

import io
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest
from dremio_standin import ACCESS_KEY, PASSWORD, SECRET, USER, Standin
from minio.credentials.providers import StaticProvider
from minio.minioadmin import MinioAdmin
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField
from service_checks import KEY, Checked, check, served_rawg
from sqlalchemy import make_url

from serving.dremio_sources import nessie_source, raw_source
from storage.database.session import Database
from storage.minio_roles import ROLES, Role, policy
from storage.minio_setup import set_up
from testbed.servers import Server
from testbed.stack import Stack
from utils.config import load_settings

pytestmark = pytest.mark.stack
LIMIT_S = 10
PARTS = ("ACCESS", "SECRET")
FULL = ("up", "can be read and written")
READ = ("s3:GetObject",)
WRITE = (*READ, "s3:PutObject", "s3:AbortMultipartUpload")
BEHIND = {  # what cannot be known while a server is down
    "minio": {"bucket raw", "bucket warehouse", "warehouse", "dremio sources"},
    "nessie": {"warehouse", "dremio sources"},
    "postgres": {"store", "rawg quota"},
    "dremio": {"dremio sources"},
    "rawg": {"rawg key"},
}
Environ = dict[str, str]


@pytest.fixture
def dremio() -> Iterator[Standin]:
    with Standin(users={USER: PASSWORD}) as standin:
        yield standin


@pytest.fixture
def environ(stack_settings: Environ, tmp_path: Path, dremio: Standin) -> Iterator[Environ]:
    """Everything is up, migrated and set up; no table is published yet."""
    with served_rawg() as rawg:
        given = {
            **stack_settings,
            "GAMELAKE_HOME": str(tmp_path / "lake"),
            "RAWG_BASE_URL": rawg,
            "RAWG_API_KEY": KEY,
            "DREMIO_URL": dremio.url,
            "DREMIO_USER": USER,
            "DREMIO_PASSWORD": PASSWORD,
            "MINIO_ANALYST_ACCESS_KEY": ACCESS_KEY,
            "MINIO_ANALYST_SECRET_KEY": SECRET,
        }
        settings = load_settings(given, None)
        dremio.catalog.create(nessie_source(settings))
        dremio.catalog.create(raw_source(settings))
        Database.open(stack_settings["DATABASE_URL"]).close()
        yield given


def down(told: Checked) -> set[str]:
    return {name for name, state in told.states.items() if state == "down"}


def assert_no_secret(told: Checked, environ: Environ) -> None:
    secrets = [environ["MINIO_SECRET_KEY"], KEY, PASSWORD, SECRET]
    secrets.append(environ["DATABASE_URL"].partition("@")[0].rpartition(":")[2])
    for secret in secrets:
        assert secret not in told.text


def test_everything_up_is_exit_0_and_leaves_nothing_behind(
    environ: Environ, tmp_path: Path, stack: Stack
) -> None:
    told = check(environ, tmp_path)

    assert (told.code, set(told.states.values())) == (0, {"up"}), told.text
    assert set(told.states) == {*BEHIND, *set().union(*BEHIND.values()), "folder"}
    assert all(one["milliseconds"] is not None for one in told.report["services"])
    assert told.of("rawg quota")["detail"] == "19,999 of 20,000 requests left"
    assert "schema is current" in told.of("store")["detail"]
    assert told.of("dremio sources")["detail"] == "nessie: good, raw: good"
    for bucket in ("raw", "warehouse"):
        client = stack.minio.client()
        assert list(client.list_objects(bucket, recursive=True)) == []
        assert client._list_multipart_uploads(bucket).uploads == []
    assert_no_secret(told, environ)


@pytest.mark.parametrize(
    ("service", "how"), [*product(["minio", "nessie", "postgres"], ["kill", "pause"])]
)
def test_a_single_server_that_is_down_is_named_with_its_remedy(  # noqa: PLR0917 - fixtures
    environ: Environ, tmp_path: Path, stack: Stack, service: str, how: str
) -> None:
    server: Server = getattr(stack, service)
    getattr(server, how)()
    try:
        told = check(environ, tmp_path)
    finally:
        server.start()

    assert (told.code, down(told)) == (7, {service}), told.text
    unknown = {name for name, state in told.states.items() if state == "unknown"}
    assert unknown == BEHIND[service]
    assert all(told.of(name)["detail"].startswith("needs ") for name in unknown)
    assert f"docker compose up -d {service}" in told.report["hint"]
    assert f"docker compose logs {service}" in told.report["hint"]
    assert told.report["subject"] == service
    assert told.seconds < LIMIT_S
    assert_no_secret(told, environ)


def test_a_dremio_that_starts_or_is_away_is_named(
    environ: Environ, tmp_path: Path, dremio: Standin
) -> None:
    dremio.starting = 100
    starting = check(environ, tmp_path)
    with Standin() as gone:
        nowhere = {**environ, "DREMIO_URL": gone.url}
    away = check(nowhere, tmp_path)
    left_out = check({**nowhere, "COMPOSE_PROFILES": "core"}, tmp_path)

    for told in (starting, away):
        assert (told.code, down(told)) == (7, {"dremio"}), told.text
        assert told.of("dremio sources")["detail"] == "needs dremio"
        assert "docker compose logs dremio" in told.report["hint"]
    assert left_out.code == 0
    assert left_out.states["dremio sources"] == "unset"


def test_dremio_without_its_sources_is_told_to_be_set_up(
    environ: Environ, tmp_path: Path, dremio: Standin
) -> None:
    dremio.catalog.entities.clear()
    told = check(environ, tmp_path)

    assert (told.code, down(told)) == (7, {"dremio sources"})
    assert told.of("dremio sources")["detail"] == "nessie: absent, raw: absent"
    assert "gamelake dremio-setup" in told.report["hint"]


def test_everything_down_is_told_in_time(environ: Environ, tmp_path: Path, stack: Stack) -> None:
    for server in (stack.minio, stack.nessie, stack.postgres):
        server.kill()
    try:
        nowhere = {"RAWG_BASE_URL": "http://127.0.0.1:1/api", "DREMIO_URL": "http://127.0.0.1:1"}
        told = check({**environ, **nowhere}, tmp_path)
    finally:
        stack.start()

    assert (told.code, down(told)) == (7, set(BEHIND)), told.text
    assert told.seconds < LIMIT_S


def test_sockets_that_accept_and_never_answer_are_told_in_time(
    environ: Environ, tmp_path: Path
) -> None:
    with ExitStack() as holes:
        ports = [
            holes.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            for _ in range(5)
        ]
        hanging = {
            "RAWG_BASE_URL": f"http://127.0.0.1:{ports[0]}/api",
            "MINIO_ENDPOINT": f"127.0.0.1:{ports[1]}",
            "NESSIE_URI": f"http://127.0.0.1:{ports[2]}",
            "DREMIO_URL": f"http://127.0.0.1:{ports[3]}",
            "DATABASE_URL": f"postgresql://user:secret@127.0.0.1:{ports[4]}/lake",
        }
        told = check({**environ, **hanging}, tmp_path)

    assert (told.code, down(told)) == (7, set(BEHIND)), told.text
    assert told.seconds < LIMIT_S


def test_keys_that_minio_refuses_and_buckets_that_are_not_there(
    environ: Environ, tmp_path: Path
) -> None:
    refused = check({**environ, "MINIO_SECRET_KEY": "wrong-secret"}, tmp_path)
    missing = check({**environ, "MINIO_RAW_BUCKET": "no-such-bucket"}, tmp_path)

    assert down(refused) == {"bucket raw", "bucket warehouse"}
    assert "MINIO_SECRET_KEY" in refused.report["hint"]
    assert down(missing) == {"bucket raw"}
    assert "make up" in missing.report["hint"]


@pytest.fixture
def logins(environ: Environ, stack: Stack) -> Environ:
    """Keys of every user of the stack, whom MinIO has now."""
    made = {
        f"MINIO_{role.name}_{part}_KEY": f"{role.name.lower()}-{part.lower()}"
        for role in ROLES
        for part in PARTS
    }
    root = {
        "MINIO_ROOT_USER": stack.minio.access_key,
        "MINIO_ROOT_PASSWORD": stack.minio.secret_key,
    }
    set_up({**environ, **made, **root})
    return made


@pytest.mark.parametrize("empty", [True, False])
@pytest.mark.parametrize(
    ("role", "raw", "warehouse"),
    [
        ("GAMELAKE", FULL, FULL),
        ("INGEST", FULL, ("unset", "may neither read nor write, as gamelake-ingest is meant to")),
        ("ETL", ("up", "may only read, as gamelake-etl is meant to"), FULL),
        ("ANALYST", *[("up", "may only read, as gamelake-analyst is meant to")] * 2),
        ("NESSIE", ("unset", "may neither read nor write, as gamelake-nessie is meant to"), FULL),
    ],
)
def test_a_user_with_the_rights_of_its_task_is_fine(  # noqa: PLR0917 - fixtures
    environ: Environ,
    logins: Environ,
    tmp_path: Path,
    stack: Stack,
    role: str,
    raw: tuple[str, str],
    warehouse: tuple[str, str],
    *,
    empty: bool,
) -> None:
    keys = {f"MINIO_{part}_KEY": logins[f"MINIO_{role}_{part}_KEY"] for part in PARTS}
    if not empty:
        for bucket in ("raw", "warehouse"):
            stack.minio.client().put_object(bucket, "seed", io.BytesIO(b"x"), 1)

    told = check({**environ, **keys}, tmp_path)

    assert told.code == 0, told.text
    full = (FULL[0], "empty, can be written" if empty else FULL[1])
    for bucket, expected in (("bucket raw", raw), ("bucket warehouse", warehouse)):
        found = told.of(bucket)
        assert (found["state"], found["detail"]) == (full if expected == FULL else expected)
    assert told.states["warehouse"] == warehouse[0]


@pytest.mark.parametrize(
    ("rights", "raw", "warehouse"),
    [
        ({}, "neither read nor write", "neither read nor write"),
        ({"raw": READ}, "only read", "neither read nor write"),
        ({"raw": WRITE, "warehouse": READ}, None, "only read"),
    ],
)
def test_a_user_with_the_rights_of_no_task_is_told(  # noqa: PLR0917 - fixtures
    environ: Environ,
    tmp_path: Path,
    stack: Stack,
    rights: dict[str, tuple[str, ...]],
    raw: str | None,
    warehouse: str,
) -> None:
    login = ("nobody", "nobody-secret")
    root = StaticProvider(stack.minio.access_key, stack.minio.secret_key)
    admin = MinioAdmin(endpoint=stack.minio.address, credentials=root, secure=False)
    admin.user_add(*login)
    if rights:
        admin.policy_add(
            "odd", policy=policy(Role("ODD", rights), {"raw": "raw", "warehouse": "warehouse"})
        )
        admin.policy_set("odd", user=login[0])

    keys = {"MINIO_ACCESS_KEY": login[0], "MINIO_SECRET_KEY": login[1]}
    told = check({**environ, **keys}, tmp_path)
    admin.user_remove(login[0])

    words = {"bucket raw": raw, "bucket warehouse": warehouse}
    assert down(told) == {bucket for bucket, said in words.items() if said}
    for bucket in down(told):
        assert told.of(bucket)["detail"] == f"MinIO denies access: may {words[bucket]}"
    assert "make up" in told.report["hint"]


def test_a_nessie_that_writes_into_another_bucket_is_told(
    environ: Environ, tmp_path: Path, stack: Stack
) -> None:
    stack.minio.make_bucket("elsewhere")
    told = check({**environ, "MINIO_WAREHOUSE_BUCKET": "elsewhere"}, tmp_path)
    stack.minio.drop_bucket("elsewhere")

    assert down(told) == {"warehouse"}
    assert (
        told.of("warehouse")["detail"]
        == "Nessie's warehouse is s3://warehouse, ours s3://elsewhere"
    )
    assert "MINIO_WAREHOUSE_BUCKET" in told.report["hint"]


def test_a_table_of_the_warehouse_must_be_readable(
    environ: Environ, tmp_path: Path, stack: Stack
) -> None:
    catalog = RestCatalog(
        "main",
        uri=f"{stack.nessie.uri}/iceberg/main",
        **{
            "s3.endpoint": stack.minio.endpoint,
            "s3.access-key-id": stack.minio.access_key,
            "s3.secret-access-key": stack.minio.secret_key,
            "s3.region": "us-east-1",
        },
    )
    catalog.create_namespace("games")
    schema = Schema(NestedField(1, "game_id", LongType(), required=False))
    table = catalog.create_table("games.fact_games", schema)
    catalog.close()
    readable = check(environ, tmp_path)
    stack.minio.empty_bucket("warehouse")
    lost = check(environ, tmp_path)

    assert (readable.code, readable.of("warehouse")["detail"]) == (
        0,
        "s3://warehouse, 1 tables can be read",
    )
    assert down(lost) == {"warehouse"}
    assert table.metadata_location.rpartition("/")[2] in lost.of("warehouse")["detail"]


def test_a_store_without_tables_is_up_and_says_what_makes_them(
    environ: Environ, tmp_path: Path, stack: Stack
) -> None:
    url = stack.postgres.create_database("unmigrated")
    told = check({**environ, "DATABASE_URL": url}, tmp_path)
    strange = make_url(url).set(password=KEY).render_as_string(hide_password=False)
    wrong = check({**environ, "DATABASE_URL": strange}, tmp_path)
    absent = check({**environ, "DATABASE_URL": stack.postgres.url("nosuch")}, tmp_path)
    stack.postgres.drop_database("unmigrated")

    assert told.code == 0
    assert "no tables yet" in told.of("store")["detail"]
    assert "migrates it" in told.of("store")["hint"]
    assert down(absent) == {"store"}
    assert 'database "nosuch" does not exist' in absent.of("store")["detail"]
    assert down(wrong) == {"store"}
    assert "password authentication failed" in wrong.of("store")["detail"]
    assert "DATABASE_URL" in wrong.report["hint"]
    assert KEY not in wrong.text
