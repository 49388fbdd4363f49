"""The first publish brings Dremio its views, and nothing that Dremio does can fail a build."""

import io
import signal
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest
from dremio_lab import DremioUser, publish_lake, published_tables, user_of
from dremio_standin import PASSWORD, USER, Standin

from etl.iceberg_schemas import TABLES
from etl.report import CheckCounts, EtlReport
from gamelake.commands import etl, run
from gamelake.dremio_views import bring_views
from gamelake.session import Interrupts, Session
from gamelake.terminal import Terminal
from serving.dremio_text import SPACE, SQL_MARK
from serving.view_files import load_views
from utils.config import load_settings

VIEWS = len(TABLES) + len(load_views())


@dataclass(frozen=True)
class Publish:
    standin: Standin
    environ: dict[str, str]
    user: DremioUser

    def happens(self, **environ: str) -> str:
        """Do what `etl` does after a publish; return what it says."""
        said = io.StringIO()
        terminal = Terminal(err=said)
        settings = load_settings({**self.environ, **environ}, dotenv=None)
        interrupts = Interrupts(terminal)
        with interrupts.handled():
            bring_views(Session(terminal, settings, {}, interrupts))
        return said.getvalue()

    def view(self, name: str) -> dict[str, object]:
        """Return what the stand-in holds of a view."""
        entities = self.standin.catalog.entities.values()
        return next(one for one in entities if one.get("path") == [SPACE, name])

    @property
    def views(self) -> int:
        entities = self.standin.catalog.entities.values()
        return sum(entity["entityType"] == "dataset" for entity in entities)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    return published_tables(publish_lake(tmp_path_factory.mktemp("lake")))


@pytest.fixture
def publish(tmp_path: Path) -> Iterator[Publish]:
    with Standin() as standin:
        user = user_of(standin, tmp_path)
        user.setup()
        environ = {**user.environ, "GAMELAKE_PROFILE": "stack"}
        yield Publish(standin, environ, user.but(**environ))


def test_the_first_publish_brings_the_views_and_later_ones_look(
    publish: Publish, tables: dict[str, pa.Table]
) -> None:
    assert publish.views == 0
    publish.standin.sql.publish(tables)

    assert "has the views now" in publish.happens()
    brought, asked = publish.views, len(publish.standin.requests)
    assert publish.happens() == ""

    assert brought == VIEWS
    assert len(publish.standin.requests) - asked == 2 + VIEWS  # is it up, log in, each view


def test_a_view_that_is_missing_or_of_another_version_comes_with_the_next_publish(
    publish: Publish, tables: dict[str, pa.Table]
) -> None:
    publish.standin.sql.publish(tables)
    publish.happens()
    old, gone = publish.view("top_games"), publish.view("dim_genre")
    old["sql"] = f"{SQL_MARK}\nSELECT 1 AS one"
    del publish.standin.catalog.entities[str(gone["id"])]

    assert "2 of them new or changed" in publish.happens()
    assert "one" not in str(publish.view("top_games")["sql"])
    assert publish.happens() == ""


@pytest.mark.parametrize(
    "without",
    [
        {"GAMELAKE_PROFILE": "embedded"},
        {"DREMIO_USER": ""},
        {"DREMIO_PASSWORD": ""},
        {"MINIO_ANALYST_SECRET_KEY": ""},
        {"DREMIO_URL": "http://127.0.0.1:1"},
    ],
)
def test_without_a_dremio_nothing_is_said(publish: Publish, without: dict[str, str]) -> None:
    before = list(publish.standin.requests)

    assert publish.happens(**without) == ""
    assert publish.standin.requests == before


def test_a_dremio_without_a_user_is_left_to_its_set_up(publish: Publish) -> None:
    publish.standin.users.clear()

    assert publish.happens() == ""
    assert publish.standin.users == {}


def test_trouble_with_dremio_is_a_remark(publish: Publish) -> None:
    publish.standin.users[USER] = f"{PASSWORD}x"

    assert "try gamelake dremio-setup" in publish.happens()


STRANGE: list[object] = [
    None,
    7,
    {},
    {"id": 7},
    {"id": "a", "state": "x"},
    {"tags": "a", "text": 1},
]
STRANGE += [{"id": "a", "type": "VIRTUAL_DATASET", "entityType": "dataset", "sql": SQL_MARK}]


@pytest.mark.parametrize("strange", STRANGE, ids=str)
def test_a_strange_answer_to_any_question_is_a_remark(
    publish: Publish, tables: dict[str, pa.Table], strange: object
) -> None:
    publish.standin.sql.publish(tables)
    publish.happens()
    _spoil(publish)
    publish.happens()
    kinds = {_kind(*request) for request in publish.standin.requests}
    assert ("PUT", "catalog") in kinds

    for kind in kinds:
        _spoil(publish)
        publish.standin.twist = lambda method, path, told, kind=kind: (
            strange if _kind(method, path) == kind else told
        )
        said = publish.happens()
        assert said == "" or "Dremio" in said


@pytest.mark.parametrize("item", [7, {"id": "a"}, {"path": ["nessie"]}, {"id": 7, "path": "x"}])
def test_a_strange_list_of_what_there_is_is_a_remark(publish: Publish, item: object) -> None:
    publish.standin.catalog.keys.clear()  # a source that Dremio cannot use is looked up in the list
    publish.standin.twist = lambda _, path, told: (
        {"data": [item]} if path == "/api/v3/catalog" else told
    )

    assert "is not Dremio" in publish.happens()


def _spoil(publish: Publish) -> None:
    """Take all views away but one, which is of another version then."""
    entities = publish.standin.catalog.entities
    for known, one in list(entities.items()):
        if one["entityType"] == "dataset" and one["path"] != [SPACE, "dim_genre"]:
            del entities[known]
    if kept := [one for one in entities.values() if one["entityType"] == "dataset"]:
        kept[0]["sql"] = f"{SQL_MARK}\nSELECT 1 AS one"


def _kind(method: str, path: str) -> tuple[str, ...]:
    """Return what is asked, whatever it is asked about."""
    pieces = path.split("/")
    return method, *(piece for piece in pieces if piece in _WORDS)


_WORDS = ("apiv2", "login", "server_status", "catalog", "by-path", "source", "wiki", "tag")


def _interrupt() -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


@pytest.mark.parametrize("at", ["/apiv2/login", "/api/v3/catalog"])
def test_ctrl_c_while_the_views_come_is_a_remark(
    publish: Publish, tables: dict[str, pa.Table], at: str
) -> None:
    publish.standin.sql.publish(tables)

    def interrupt(_: str, path: str) -> None:
        if path == at:
            _interrupt()
            raise ConnectionError  # or the answer may be faster than the signal

    publish.standin.before = interrupt

    assert "stopped; try gamelake dremio-setup" in publish.happens()
    publish.standin.before = lambda *_: None
    assert "Dremio has the views now" in publish.happens()


@pytest.mark.parametrize("command", ["etl", "run"])
def test_a_published_build_prints_one_object_and_ends_well_whatever_dremio_does(
    publish: Publish, tables: dict[str, pa.Table], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    publish.standin.sql.publish(tables)
    report = EtlReport("run", "done", True, "c" * 64, "duckdb", "full", {}, CheckCounts())
    fetched = SimpleNamespace(as_dict=dict)
    for module in (etl, run):
        monkeypatch.setattr(module, "open_lake", lambda *_, **__: nullcontext())
    monkeypatch.setattr(etl, "build", lambda *_: report)
    monkeypatch.setattr(run, "fetch_and_build", lambda *_: (fetched, report))
    monkeypatch.setattr(run, "fetched", lambda _: "")
    publish.standin.twist = lambda _, path, told: {} if path == "/api/v3/catalog" else told

    told = publish.user.run(command, "--json")

    assert told.code == 0, told
    assert "commit" in (told.json["etl"] if command == "run" else told.json)
    assert "Dremio did not get its views" in told.err
