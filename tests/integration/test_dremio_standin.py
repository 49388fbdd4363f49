"""The stand-in itself: whatever Dremio refuses, it refuses, each thing for itself.

A stand-in that takes anything would let every test of the set-up pass.
"""

import copy
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
import requests
from dremio_standin import ACCESS_KEY, NO_USER, PASSWORD, SECRET, USER, Standin
from pydantic import SecretStr

from serving.dremio_sources import nessie_source, raw_source
from utils.config import Settings

SETTINGS = Settings(minio_analyst_access_key=ACCESS_KEY, minio_analyst_secret_key=SecretStr(SECRET))
SOURCES = {"NESSIE": nessie_source(SETTINGS), "S3": raw_source(SETTINGS)}
FIRST = {
    "userName": USER,
    "firstName": "A",
    "lastName": "B",
    "email": "a@b.c",
    "createdAt": 0,
    "password": PASSWORD,
}
SPACE = {"entityType": "space", "name": "s"}
VIEW = {
    "entityType": "dataset",
    "type": "VIRTUAL_DATASET",
    "path": ["s", "v"],
    "sql": "SELECT a FROM nessie.games.t AT BRANCH main",
    "sqlContext": [],
}
CATALOG = "/api/v3/catalog"
Change = Callable[[dict[str, Any]], object]


class Raw:
    """Plain requests, without any of our client."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> tuple[int, Any]:
        """Return status and JSON of one request."""
        headers = {**self.headers, **more.pop("headers", {})}
        found = requests.request(
            method, self.standin.url + path, json=body, headers=headers, timeout=10, **more
        )
        return found.status_code, found.json()

    def log_in(self) -> "Raw":
        """Log in as the first user."""
        _, told = self.ask("POST", "/apiv2/login", {"userName": USER, "password": PASSWORD})
        self.headers = {"Authorization": f"_dremio{told['token']}"}
        return self

    def made(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create an entity that has to be fine."""
        status, told = self.ask("POST", CATALOG, body)
        assert status == 200, told
        assert isinstance(told, dict)
        return told


@pytest.fixture
def empty() -> Iterator[Raw]:
    with Standin() as standin:
        yield Raw(standin)


@pytest.fixture
def raw() -> Iterator[Raw]:
    with Standin(users={USER: PASSWORD}) as standin:
        standin.sql.publish({"t": pa.table({"a": [1]})})
        yield Raw(standin).log_in()


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/apiv2/login"), ("GET", CATALOG), ("POST", CATALOG), ("GET", "/other")],
)
def test_without_a_user_everything_else_is_403(empty: Raw, method: str, path: str) -> None:
    body = {"userName": USER, "password": PASSWORD}

    assert empty.ask(method, path, body) == (403, {"errorMessage": NO_USER, "moreInfo": None})


def test_a_second_first_user_is_refused(empty: Raw) -> None:
    assert empty.ask("PUT", "/apiv2/bootstrap/firstuser", FIRST)[0] == 200
    status, told = empty.ask("PUT", "/apiv2/bootstrap/firstuser", {**FIRST, "userName": "b"})

    assert status == 400
    assert "already registered" in told["errorMessage"]


@pytest.mark.parametrize(
    "change",
    [{"password": "short1"}, {"password": "onlyletters"}, {"password": "12345678"}, {"role": "x"}],
)
def test_a_first_user_that_does_not_do(empty: Raw, change: dict[str, str]) -> None:
    assert empty.ask("PUT", "/apiv2/bootstrap/firstuser", {**FIRST, **change})[0] == 400
    assert empty.standin.users == {}


def test_the_state_is_503_until_it_is_up() -> None:
    with Standin(starting=1) as standin:
        answers = [Raw(standin).ask("GET", "/apiv2/server_status") for _ in range(2)]
    assert [status for status, _ in answers] == [503, 200]


def test_login_is_checked(raw: Raw) -> None:
    for body, status in (
        ({"userName": USER, "password": "other"}, 401),
        ({"userName": "nobody", "password": PASSWORD}, 401),
        ({"userName": USER, "password": PASSWORD, "more": 1}, 400),
    ):
        assert raw.ask("POST", "/apiv2/login", body)[0] == status


def test_tokens_are_checked_and_take_three_forms(raw: Raw) -> None:
    token = raw.headers["Authorization"].removeprefix("_dremio")
    for header, status in (
        ("", 401),
        ("_dremionull", 401),
        (f"_dremio{token}x", 401),
        (f"_dremio{token}", 200),
        (f"Bearer {token}", 200),
        (token, 200),
    ):
        assert raw.ask("GET", CATALOG, headers={"Authorization": header})[0] == status, header


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v3/catalogue"),
        ("GET", "/apiv2/source/raw"),
        ("GET", "/api/v2/catalog"),
        ("DELETE", f"{CATALOG}/x"),
        ("PUT", "/api/v3/source/x"),
        ("PUT", f"{CATALOG}/x/collaboration/wiki"),
        ("GET", f"{CATALOG}/x/collaboration/labels"),
        ("GET", f"{CATALOG}/by-path/nothing"),
        ("GET", f"{CATALOG}/no-such-id"),
    ],
)
def test_wrong_endpoints_and_unknown_things_are_404(raw: Raw, method: str, path: str) -> None:
    assert raw.ask(method, path, {})[0] == 404


def test_a_body_that_is_no_json_is_415(raw: Raw) -> None:
    found = requests.post(raw.standin.url + CATALOG, data="name=s", headers=raw.headers, timeout=10)
    assert found.status_code == 415


@pytest.mark.parametrize("kind", SOURCES)
def test_the_documented_sources_are_good_and_hide_their_secret(raw: Raw, kind: str) -> None:
    told = raw.made(SOURCES[kind])

    assert told["state"]["status"] == "good"
    assert SECRET not in json.dumps(told)
    assert "$DREMIO_EXISTING_VALUE$" in json.dumps(told)


def _set(*path: str, to: object) -> Change:
    def change(body: dict[str, Any]) -> None:
        for key in path[:-1]:
            body = body[key]
        body[path[-1]] = to

    return change


def _property(name: str, value: str | None) -> Change:
    def change(body: dict[str, Any]) -> None:
        kept = [p for p in body["config"]["propertyList"] if p["name"] != name]
        added = [{"name": name, "value": value}] if value is not None else []
        body["config"]["propertyList"] = kept + added

    return change


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("NESSIE", _set("config", "enableAsync", to=True)),  # S3's word
        ("S3", _set("config", "asyncEnabled", to=True)),  # Nessie's word
        ("NESSIE", _set("config", "nessieUri", to="x")),
        ("NESSIE", _set("type", to="RESTCATALOG")),
        ("NESSIE", _set("name", to="a.b")),
        ("NESSIE", _set("name", to='a"b')),
        ("NESSIE", _set("id", to="chosen")),
        ("NESSIE", _set("tag", to="chosen")),
        ("NESSIE", _set("entityType", to="sources")),
        ("NESSIE", _set("config", "awsRootPath", to="s3://warehouse")),
        ("NESSIE", _set("config", "credentialType", to=None)),
        ("NESSIE", _set("config", "awsAccessSecret", to="")),
        ("NESSIE", _set("config", "awsAccessSecret", to="$DREMIO_EXISTING_VALUE$")),
        ("NESSIE", _set("config", "propertyList", to=[{"key": "a", "value": "b"}])),
        ("NESSIE", _set("config", to=None)),
        ("S3", _set("config", "accessSecret", to=None)),
        ("S3", _set("metadataPolicy", "namesRefreshMs", to=1000)),
        ("S3", _set("metadataPolicy", "namesRefresh", to=60_000)),
        ("S3", _set("metadataPolicy", "datasetUpdateMode", to=None)),
    ],
)
def test_a_source_with_one_thing_wrong_is_refused(raw: Raw, kind: str, change: Change) -> None:
    body = copy.deepcopy(SOURCES[kind])
    change(body)

    assert raw.ask("POST", CATALOG, body)[0] == 400
    assert raw.standin.catalog.entities == {}


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("NESSIE", _set("config", "nessieEndpoint", to="http://nessie:19120/api/v1")),
        ("NESSIE", _set("config", "nessieEndpoint", to="http://nessie:19120/iceberg")),
        ("NESSIE", _set("config", "nessieAuthType", to="BEARER")),
        ("NESSIE", _set("config", "secure", to=True)),
        ("NESSIE", _property("fs.s3a.endpoint", "http://minio:9000")),
        ("NESSIE", _property("fs.s3a.endpoint", None)),
        ("NESSIE", _property("fs.s3a.path.style.access", None)),
        ("NESSIE", _property("dremio.s3.compat", None)),
        ("NESSIE", _set("config", "awsAccessSecret", to="other")),
        ("S3", _set("config", "accessKey", to="other")),
    ],
)
def test_a_source_that_cannot_work_is_bad(raw: Raw, kind: str, change: Change) -> None:
    body = copy.deepcopy(SOURCES[kind])
    change(body)
    told = raw.made(body)

    assert told["state"]["status"] == "bad"
    assert told["state"]["messages"]
    assert raw.ask("GET", f"{CATALOG}/by-path/{body['name']}")[0] == 400
    (listed,) = raw.ask("GET", CATALOG)[1]["data"]
    assert raw.ask("GET", f"/api/v3/source/{listed['id']}")[0] == 200


@pytest.mark.parametrize("body", [SPACE, SOURCES["NESSIE"], VIEW])
def test_what_exists_is_a_conflict(raw: Raw, body: dict[str, Any]) -> None:
    if body is VIEW:
        raw.made(SPACE)
    raw.made(body)

    assert raw.ask("POST", CATALOG, body)[0] == 409


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"tag": "stale"}, 409),
        ({"tag": None}, 400),
        ({"id": "other"}, 404),
        ({"name": "renamed"}, 400),
        ({"type": "S3"}, 400),
    ],
)
def test_a_change_has_to_fit_what_is_stored(raw: Raw, change: dict[str, Any], status: int) -> None:
    made = raw.made(SOURCES["NESSIE"])
    body = {**SOURCES["NESSIE"], "id": made["id"], "tag": made["tag"], **change}

    assert raw.ask("PUT", f"{CATALOG}/{made['id']}", body)[0] == status


def test_a_change_gives_a_new_tag_and_may_keep_the_secret(raw: Raw) -> None:
    made = raw.made(SOURCES["NESSIE"])
    body = {key: value for key, value in made.items() if key not in ("state", "children")}
    status, told = raw.ask("PUT", f"{CATALOG}/{made['id']}", body)

    assert (status, told["state"]["status"]) == (200, "good")
    assert told["tag"] != made["tag"]
    assert raw.ask("PUT", f"{CATALOG}/{made['id']}", body)[0] == 409


@pytest.mark.parametrize(
    "change",
    [
        {"sql": "SELECT a FROM nessie.games.t"},  # no AT BRANCH
        {"sql": "SELECT a AS year FROM nessie.games.t AT BRANCH main"},
        {"sql": "SELECT b FROM nessie.games.t AT BRANCH main"},  # no such column
        {"sql": "SELECT a FROM s.nothing"},
        {"sql": "SELECT a FROM t"},  # bare, and sqlContext is empty
        {"sql": "SELECT"},
        {"sql": " "},
        {"type": "PHYSICAL_DATASET"},
        {"type": None},
        {"path": ["v"]},
        {"path": ["nowhere", "v"]},
        {"path": ["nessie", "v"]},
        {"id": str(uuid.uuid4())},
    ],
)
def test_a_view_with_one_thing_wrong_is_refused(raw: Raw, change: dict[str, Any]) -> None:
    raw.made(SPACE)
    raw.made(SOURCES["NESSIE"])

    assert raw.ask("POST", CATALOG, {**VIEW, **change})[0] == 400


def test_a_view_in_order_is_taken(raw: Raw) -> None:
    raw.made(SPACE)

    assert raw.made(VIEW)["sql"] == VIEW["sql"]


def _table_id(raw: Raw, query: str) -> str:
    _, told = raw.ask("GET", f"{CATALOG}/by-path/nessie/games/t{query}")
    return requests.utils.quote(told["id"], safe="")


def test_tables_of_nessie_are_documented_on_the_default_branch_only(raw: Raw) -> None:
    raw.made(SOURCES["NESSIE"])
    on_main = _table_id(raw, "?versionType=BRANCH&versionValue=main")
    for entity_id, status in (
        (on_main, 200),
        (_table_id(raw, ""), 400),
        (_table_id(raw, "?versionType=TAG&versionValue=t"), 400),
    ):
        path = f"{CATALOG}/{entity_id}/collaboration/wiki"
        assert raw.ask("POST", path, {"text": "x"})[0] == status
    assert raw.ask("GET", f"{CATALOG}/by-path/nessie/games/t?versionType=BRANCH")[0] == 400
    assert raw.ask("GET", f"{CATALOG}/by-path/nessie/games/nothing")[0] == 404


@pytest.mark.parametrize(("facet", "field"), [("wiki", "text"), ("tag", "tags")])
def test_wiki_and_labels_have_versions(raw: Raw, facet: str, field: str) -> None:
    raw.made(SPACE)
    path = f"{CATALOG}/{raw.made(VIEW)['id']}/collaboration/{facet}"
    value: Any = "x" if facet == "wiki" else ["x"]

    assert "version" not in raw.ask("GET", path)[1]
    assert raw.ask("POST", path, {field: value, "version": 7})[0] == 409
    status, first = raw.ask("POST", path, {field: value})
    assert status == 200
    assert raw.ask("POST", path, {field: value})[0] == 409
    assert raw.ask("POST", path, {field: value, "version": first["version"]})[0] == 200
    assert raw.ask("POST", path, {field: value, "version": first["version"]})[0] == 409
    assert raw.ask("POST", path, {"texts": value})[0] == 400


def test_labels_are_for_views_and_tables_and_unique(raw: Raw) -> None:
    space = raw.made(SPACE)["id"]
    view = raw.made(VIEW)["id"]

    assert raw.ask("GET", f"{CATALOG}/{space}/collaboration/tag")[0] == 400
    assert raw.ask("POST", f"{CATALOG}/{space}/collaboration/tag", {"tags": ["x"]})[0] == 400
    twice = {"tags": ["x", "x"]}
    assert raw.ask("POST", f"{CATALOG}/{view}/collaboration/tag", twice)[0] == 400
    assert raw.ask("GET", f"{CATALOG}/nothing/collaboration/wiki")[0] == 404
