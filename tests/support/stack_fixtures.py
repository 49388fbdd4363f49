"""Real servers for tests marked `stack`: one of each for a test process, emptied for each test.

Every test process (xdist worker) has servers of its own. A test may kill or pause them: the
function-level fixtures start again what the test before left dead.
"""

from collections.abc import Iterator
from itertools import count

import pytest

from testbed.servers import MinioServer, NessieServer, PostgresServer
from testbed.stack import Stack

_NUMBERS = count()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """MinIO, Nessie and PostgreSQL, wired together, as the tests before left them."""
    with Stack(durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def minio(stack: Stack) -> MinioServer:
    """MinIO of `stack`."""
    return stack.minio


@pytest.fixture(scope="session")
def nessie(stack: Stack) -> NessieServer:
    """Nessie of `stack`."""
    return stack.nessie


@pytest.fixture(scope="session")
def postgres(stack: Stack) -> PostgresServer:
    """PostgreSQL of `stack`."""
    return stack.postgres


@pytest.fixture
def stack_settings(stack: Stack) -> dict[str, str]:
    """A lake's variables over empty buckets, an empty catalog and an empty database."""
    return stack.start().fresh()


@pytest.fixture
def bucket(minio: MinioServer) -> Iterator[str]:
    """Name of an empty bucket of this test."""
    name = f"test-{next(_NUMBERS)}"
    minio.start().make_bucket(name)
    yield name
    minio.start().drop_bucket(name)


@pytest.fixture
def empty_nessie(stack: Stack) -> NessieServer:
    """Nessie with nothing on main, no other reference and an empty warehouse bucket."""
    stack.start().empty_catalog()
    return stack.nessie


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """Address of an empty database of this test; no table, no migration."""
    name = f"test{next(_NUMBERS)}"
    yield postgres.start().create_database(name)
    postgres.start().drop_database(name)
