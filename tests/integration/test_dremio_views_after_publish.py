"""The first publish brings Dremio its views, and nothing that Dremio does can fail a build."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from dremio_lab import publish_lake, published_tables, user_of
from dremio_standin import PASSWORD, USER, Standin

from gamelake.dremio_views import bring_views
from gamelake.session import Interrupts, Session
from gamelake.terminal import Terminal
from utils.config import load_settings


@dataclass(frozen=True)
class Publish:
    standin: Standin
    environ: dict[str, str]

    def happens(self, **environ: str) -> str:
        """Do what `etl` does after a publish; return what it says."""
        said = io.StringIO()
        terminal = Terminal(err=said)
        settings = load_settings({**self.environ, **environ}, dotenv=None)
        bring_views(Session(terminal, settings, {}, Interrupts(terminal)))
        return said.getvalue()

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
        yield Publish(standin, {**user.environ, "GAMELAKE_PROFILE": "stack"})


def test_the_first_publish_brings_the_views_and_later_ones_look(
    publish: Publish, tables: dict[str, pa.Table]
) -> None:
    assert publish.views == 0
    publish.standin.sql.publish(tables)

    assert "has the views now" in publish.happens()
    brought, asked = publish.views, len(publish.standin.requests)
    assert publish.happens() == ""

    assert brought == 29
    assert len(publish.standin.requests) - asked == 3  # is it up, log in, is the last view there


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
