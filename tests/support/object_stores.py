"""Every implementation of the object store, to parametrize a fixture with.

@pytest.fixture(params=STORES)
def store(request): return request.param(request)()
"""

from collections.abc import Callable

import pytest
from minio_lab import new_lab

from storage.object_store import LocalFolderStore, ObjectStore
from testbed.servers import MinioServer

# Gives a fresh, empty store with every call.
Factory = Callable[[], ObjectStore]


def _folders(request: pytest.FixtureRequest) -> Factory:
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    return lambda: LocalFolderStore(folders.mktemp("store") / "raw")


def _buckets(request: pytest.FixtureRequest) -> Factory:
    server: MinioServer = request.getfixturevalue("minio")
    return lambda: new_lab(server.start()).store()


STORES = [
    pytest.param(_folders, id="folder"),
    pytest.param(_buckets, id="minio", marks=pytest.mark.stack),
]
