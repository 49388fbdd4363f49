"""`gamelake dremio-setup` against a strict stand-in, over a published lake."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from dremio_lab import DremioUser, publish_lake, published_tables, user_of
from dremio_standin import PASSWORD, SECRET, USER, Standin
from dremio_standin_rules import RefusedError

from etl.iceberg_schemas import TABLES
from serving.dremio_text import SPACE, SQL_MARK, WIKI_MARK
from serving.view_files import load_views

VIEWS = [view.name for view in load_views()]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    return published_tables(publish_lake(tmp_path_factory.mktemp("lake")))


@pytest.fixture
def dremio(tables: dict[str, pa.Table]) -> Iterator[Standin]:
    with Standin() as standin:
        standin.sql.publish(tables)
        yield standin


@pytest.fixture
def user(dremio: Standin, tmp_path: Path) -> DremioUser:
    return user_of(dremio, tmp_path)


def _entity(dremio: Standin, *path: str) -> dict[str, object]:
    (found,) = [
        e
        for e in dremio.catalog.entities.values()
        if (e.get("path") or [e.get("name")]) == list(path)
    ]
    return found


def test_a_fresh_dremio_gets_everything(dremio: Standin, user: DremioUser) -> None:
    told = user.setup()

    assert dremio.users == {USER: PASSWORD}
    assert {e["entityType"] for e in dremio.catalog.entities.values()} == {
        "source",
        "space",
        "dataset",
    }
    paths = {tuple(e["path"]) for e in dremio.catalog.entities.values() if "path" in e}
    assert paths == {(SPACE, name) for name in [*TABLES, *VIEWS]}
    assert told["created"] == len(told["changes"])
    assert (told["updated"], told["unchanged"], told["kept"], told["waiting"]) == (0, 0, 0, 0)
    assert len(dremio.catalog.wikis) == 2 + 1 + 2 * len(TABLES) + len(VIEWS)
    assert len(dremio.catalog.labels) == 2 * len(TABLES) + len(VIEWS)


def test_the_second_time_nothing_is_written(dremio: Standin, user: DremioUser) -> None:
    first = user.setup()
    before = len(dremio.writes)

    second = user.setup()

    assert len(dremio.writes) == before
    assert second["unchanged"] == first["created"]
    assert second["changes"] == []


def test_people_read_what_was_done(user: DremioUser) -> None:
    told = user.run("dremio-setup")
    again = user.run("dremio-setup")

    assert f"created    view    {SPACE}.genre_summary".encode() in told.out
    assert b"Dremio: " in told.out
    assert again.out.decode().strip().endswith(" unchanged.")
    assert "--engine dremio" in told.err


def test_a_dry_run_writes_nothing(dremio: Standin, user: DremioUser) -> None:
    fresh = user.setup("--dry-run")
    assert dremio.writes == []
    assert fresh["changes"] == [{"kind": "user", "name": USER, "action": "created"}]

    dremio.users[USER] = PASSWORD
    planned = user.setup("--dry-run")
    assert dremio.writes == []
    user.setup()
    assert planned["dry_run"] is True
    assert {"kind": "space", "name": SPACE, "action": "created"} in planned["changes"]
    assert user.setup("--dry-run")["changes"] == []

    entity_id = str(_entity(dremio, SPACE, "top_games")["id"])
    dremio.catalog.wikis[entity_id]["text"] = f"older\n{WIKI_MARK}"
    dremio.catalog.labels[entity_id]["tags"] = []
    before = len(dremio.writes)
    changes = user.setup("--dry-run")["changes"]
    assert [c["kind"] for c in changes] == ["wiki", "labels"]
    assert len(dremio.writes) == before


def test_before_the_first_publish_the_views_wait(tmp_path: Path, tables: object) -> None:
    with Standin() as standin:
        user = user_of(standin, tmp_path)
        first = user.run("dremio-setup")
        waiting = user.setup()
        assert isinstance(tables, dict)
        standin.sql.publish(tables)
        after = user.setup()

    assert first.code == 0
    assert "gamelake run" in first.err
    assert waiting["waiting"] == 2 * len(TABLES) + len(VIEWS)
    assert after["waiting"] == 0
    assert sum(c["kind"] == "view" for c in after["changes"]) == len(TABLES) + len(VIEWS)


def test_what_changed_is_updated_with_its_tag(dremio: Standin, user: DremioUser) -> None:
    user.setup()
    view = _entity(dremio, SPACE, "top_games")
    view["sql"] = f"{SQL_MARK}\nSELECT 1 AS one"
    source = _entity(dremio, "nessie")
    source["config"]["awsRootPath"] = "/elsewhere"  # type: ignore[index]
    known = dremio.catalog.wikis[str(view["id"])]
    known["text"] = f"older\n{WIKI_MARK}"

    told = user.setup()

    assert told["updated"] == 3
    assert {(c["kind"], c["name"]) for c in told["changes"]} == {
        ("view", f"{SPACE}.top_games"),
        ("source", "nessie"),
        ("wiki", f"{SPACE}.top_games"),
    }
    assert "one" not in str(_entity(dremio, SPACE, "top_games")["sql"])
    assert dremio.catalog.wikis[str(view["id"])]["version"] == known["version"] + 1


def test_texts_and_labels_of_others_stay(dremio: Standin, user: DremioUser) -> None:
    user.setup()
    entity_id = str(_entity(dremio, SPACE, "top_games")["id"])
    dremio.catalog.wikis[entity_id]["text"] = "what I know about it"
    dremio.catalog.labels[entity_id]["tags"] = ["mine"]

    told = user.setup()

    assert told["kept"] == 1
    assert dremio.catalog.wikis[entity_id]["text"] == "what I know about it"
    assert dremio.catalog.labels[entity_id]["tags"] == ["mine", "gamelake", "curated"]


@pytest.mark.parametrize(
    "stranger",
    [
        ((SPACE, "top_games"), {"sql": "SELECT 1 AS one"}, "of somebody else"),
        (("nessie",), {"type": "S3"}, "of type S3"),
        (("raw",), {"description": "mine", "metadataPolicy": {}}, "that gamelake did not make"),
        ((SPACE,), {"entityType": "folder"}, "folder"),
    ],
)
def test_objects_of_others_stand_in_the_way_and_stay(
    dremio: Standin, user: DremioUser, stranger: tuple[tuple[str, ...], dict[str, object], str]
) -> None:
    path, change, message = stranger
    user.setup()
    entity = _entity(dremio, *path)
    if path == ("nessie",):
        entity["config"] = {**_entity(dremio, "raw")["config"]}  # type: ignore[dict-item]
    entity.update(change)
    before = json.dumps(entity)

    told = user.run("dremio-setup", "--json")

    assert told.code == 2
    assert message in told.json["error"]
    assert json.dumps(_entity(dremio, *path)) == before


def test_a_source_of_others_that_is_what_we_want_is_used_and_said_to_be_kept(
    dremio: Standin, user: DremioUser
) -> None:
    user.setup()
    raw = _entity(dremio, "raw")
    raw["description"] = "mine"
    dremio.catalog.wikis[str(raw["id"])]["text"] = ""
    before = json.dumps(raw)

    told = user.setup("--resend-secrets")

    assert told["changes"] == [
        {"kind": "source", "name": "nessie", "action": "updated"},
        {"kind": "source", "name": "raw", "action": "kept"},
    ]
    assert json.dumps(_entity(dremio, "raw")) == before
    assert dremio.catalog.wikis[str(raw["id"])]["text"] == ""
    assert b"kept       source  raw" in user.run("dremio-setup").out


def test_a_source_of_others_that_dremio_cannot_use_is_not_ours_to_mend(
    dremio: Standin, user: DremioUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    user.setup()
    _entity(dremio, "raw")["description"] = "mine"
    dremio.catalog.keys["gamelake-analyst"] = "rotated-1"
    later = user.but(**{"MINIO_ANALYST_SECRET_KEY": "rotated-1"})

    told = later.run("dremio-setup", "--json", "--resend-secrets")

    assert told.code == 7
    assert told.json["subject"] == "raw"
    assert "gamelake did not make it" in told.json["hint"]
    assert "--resend-secrets" not in told.json["hint"]


def test_a_dremio_that_keeps_no_description_knows_our_sources_by_their_wiki(
    dremio: Standin, user: DremioUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(*_: object) -> None:
        for entity in dremio.catalog.entities.values():
            entity.pop("description", None)

    monkeypatch.setattr("time.sleep", lambda _: None)
    dremio.after = forget
    user.setup()
    assert user.setup()["changes"] == []

    dremio.catalog.keys["gamelake-analyst"] = "rotated-1"
    later = user.but(**{"MINIO_ANALYST_SECRET_KEY": "rotated-1"})
    assert later.setup("--resend-secrets")["updated"] == 2
    _entity(dremio, "nessie")["config"]["awsRootPath"] = "/elsewhere"  # type: ignore[index]
    assert later.setup()["updated"] == 1
    assert _entity(dremio, "nessie")["config"]["awsRootPath"] == "/warehouse"  # type: ignore[index]


def test_an_overtaken_change_is_made_again(dremio: Standin, user: DremioUser) -> None:
    user.setup()
    view = _entity(dremio, SPACE, "data_gaps")
    view["sql"] = f"{SQL_MARK}\nSELECT 1 AS one"
    overtaken = []

    def overtake(method: str, path: str) -> None:
        if method == "PUT" and not overtaken:
            overtaken.append(path)
            dremio.catalog.entities[str(view["id"])]["tag"] = "moved"

    dremio.before = overtake

    assert user.setup()["updated"] == 1
    assert overtaken


def test_somebody_who_overtakes_all_the_time_is_a_conflict(
    dremio: Standin, user: DremioUser
) -> None:
    user.setup()
    view = _entity(dremio, SPACE, "data_gaps")
    view["sql"] = f"{SQL_MARK}\nSELECT 1 AS one"
    dremio.before = lambda method, _: method == "PUT" and view.update(tag=str(uuid.uuid4()))

    assert user.run("dremio-setup").code == 6


def test_a_changed_secret_is_sent_when_asked(
    dremio: Standin, user: DremioUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    user.setup()
    dremio.catalog.keys["gamelake-analyst"] = "rotated-1"
    later = user.but(**{"MINIO_ANALYST_SECRET_KEY": "rotated-1"})

    blind = later.run("dremio-setup", "--json")
    sent = later.setup("--resend-secrets")

    assert blind.code == 7
    assert "--resend-secrets" in blind.json["hint"]
    assert sent["updated"] == 2
    assert later.setup()["changes"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        ("DREMIO_NESSIE_URI", "http://127.0.0.1:19120", "Nessie server"),
        ("DREMIO_MINIO_ENDPOINT", "127.0.0.1:9000", "127.0.0.1:9000"),
        ("DREMIO_MINIO_ENDPOINT", "https://minio:9000", "SSL"),
        ("MINIO_ANALYST_SECRET_KEY", "wrong", "signature"),
    ],
)
def test_a_source_that_dremio_cannot_use_is_said(
    user: DremioUser, wrong: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, value, said = wrong
    monkeypatch.setattr("time.sleep", lambda _: None)

    told = user.but(**{setting: value}).run("dremio-setup", "--json")
    healed = user.run("dremio-setup", "--json", "--resend-secrets")

    assert told.code == 7
    assert said in told.json["error"]
    assert healed.code == 0, healed


def test_endpoints_with_a_scheme_lose_it(user: DremioUser) -> None:
    user.but(DREMIO_MINIO_ENDPOINT="http://minio:9000").setup()


def test_no_secret_is_said(dremio: Standin, user: DremioUser) -> None:
    dremio.before = _refusing("/api/v3/catalog", RefusedError(400, f"bad {SECRET} {PASSWORD}"))

    told = user.run("dremio-setup", "--json", "-vv")

    assert told.code == 2
    for secret in (SECRET, PASSWORD):
        assert secret not in told.out.decode() + told.err


def _refusing(path: str, error: Exception) -> object:
    def refuse(method: str, asked: str) -> None:
        if method == "POST" and asked == path:
            raise error

    return refuse
