"""One suite over both databases: a test that asks for these runs on SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from testbed.servers import PostgresServer

_NUMBERS = count()
SQLITE = "sqlite"
POSTGRES = pytest.param("postgresql", marks=pytest.mark.stack, id="postgresql")

NewUrl = Callable[[], str]


@pytest.fixture(params=[SQLITE, POSTGRES])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """A function that returns the address of a new, empty database."""
    if request.param == SQLITE:
        yield lambda: f"sqlite:///{tmp_path}/{next(_NUMBERS)}/store.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres").start()
    names: list[str] = []

    def create() -> str:
        names.append(f"store{next(_NUMBERS)}")
        return postgres.create_database(names[-1])

    yield create
    for name in names:
        postgres.start().drop_database(name)


@pytest.fixture
def store_url(new_url: NewUrl) -> str:
    """Address of a new, empty database."""
    return new_url()


@pytest.fixture
def empty_url(new_url: NewUrl, request: pytest.FixtureRequest) -> NewUrl:
    """Like `new_url`, for many short lives: SQLite stays in memory."""
    return (lambda: "sqlite://") if _is_sqlite(request) else new_url


@pytest.fixture
def examples(request: pytest.FixtureRequest, new_url: NewUrl) -> int:
    """How many examples a state machine is worth: each has a database of its own."""
    del new_url
    return 30 if _is_sqlite(request) else 8


def _is_sqlite(request: pytest.FixtureRequest) -> bool:
    return bool(request.node.callspec.params["new_url"] == SQLITE)
