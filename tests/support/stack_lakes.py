"""A lake of the stack profile: its state is kept and put back on all three servers and locally."""

from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import requests
from lake_places import FolderPlace
from minio.deleteobjects import DeleteObject

from testbed.servers import MinioServer, NessieServer
from testbed.stack import RAW, WAREHOUSE, Stack

_NUMBERS = count()
_BUCKETS = (RAW, WAREHOUSE)


@dataclass(frozen=True)
class _Kept:
    """What the servers held; the database is a copy of its own."""

    objects: dict[str, dict[str, bytes]]
    references: dict[str, dict[str, str]]


@dataclass
class StackPlace:
    """A lake on `stack`, which is its own while it is used: buckets and catalog are shared.

    Puts back exactly what was kept: no object, reference or row more.
    """

    stack: Stack
    home: Path
    _kept: dict[str, _Kept] = field(default_factory=dict)
    _database: str = field(default_factory=lambda: f"place{next(_NUMBERS)}")

    def __post_init__(self) -> None:
        self._folder = FolderPlace(self.home)
        self.restore("nothing")

    def settings(self) -> dict[str, str]:
        """See LakePlace."""
        return self.stack.settings(self._database)

    def is_made(self) -> bool:
        """See LakePlace: the operational store has tables."""
        with psycopg.connect(plain(self.stack.postgres.url(self._database))) as connection:
            found = connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public'")
            return found.rowcount > 0

    def save(self, name: str) -> None:
        """See LakePlace."""
        minio, nessie = self.stack.minio, self.stack.nessie
        self._kept[name] = _Kept({b: _objects(minio, b) for b in _BUCKETS}, _references(nessie))
        self._copy_database(self._database, self._copy_of(name))
        self._folder.save(name)

    def restore(self, name: str) -> None:
        """See LakePlace; starts again what is dead."""
        self.stack.start()
        kept = self._kept.get(name)
        self._copy_database(self._copy_of(name) if kept else "template1", self._database)
        self._folder.restore(name)
        if kept is None:
            self.stack.empty_catalog()
            self.stack.minio.empty_bucket(RAW)
            return
        _restore_references(self.stack.nessie, kept.references)
        for bucket in _BUCKETS:
            _restore_objects(self.stack.minio, bucket, kept.objects[bucket])

    def _copy_database(self, source: str, copy: str) -> None:
        self.stack.postgres.drop_database(copy)
        address = self.stack.postgres.create_database(copy, template=source)
        # Else a sequence of the copy falls back when the server is killed: PostgreSQL believes
        # that the numbers it gives out next stand in the log, where only the original has them.
        with psycopg.connect(plain(address), autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def _copy_of(self, name: str) -> str:
        return f"{self._database}_{name}"


def plain(address: str) -> str:
    """Return DATABASE_URL as psycopg itself wants it."""
    return address.replace("+psycopg", "")


def _objects(minio: MinioServer, bucket: str) -> dict[str, bytes]:
    client = minio.client()
    found = {}
    for one in client.list_objects(bucket, recursive=True):
        key = one.object_name or ""
        with client.get_object(bucket, key) as response:
            found[key] = response.read()
    return found


def _restore_objects(minio: MinioServer, bucket: str, kept: dict[str, bytes]) -> None:
    """Objects never change, so only what came is removed; what is missing would be put back."""
    client = minio.client()
    there = {one.object_name or "" for one in client.list_objects(bucket, recursive=True)}
    errors = client.remove_objects(bucket, map(DeleteObject, there - kept.keys()))
    assert list(errors) == []
    for key in kept.keys() - there:
        client.put_object(bucket, key, BytesIO(kept[key]), len(kept[key]))


def _references(nessie: NessieServer) -> dict[str, dict[str, str]]:
    answer = requests.get(f"{nessie.uri}/api/v2/trees", timeout=30)
    answer.raise_for_status()
    return {found["name"]: found for found in answer.json()["references"]}


def _restore_references(nessie: NessieServer, kept: dict[str, dict[str, str]]) -> None:
    there = _references(nessie)
    for name, now in there.items():
        if name not in kept:
            _change(nessie, "DELETE", now)
        elif kept[name] != now:
            _change(nessie, "PUT", now, kept[name])
    for name in kept.keys() - there.keys():
        _create(nessie, kept[name])


def _change(nessie: NessieServer, method: str, now: dict[str, str], wanted: Any = None) -> None:
    at = f"{quote(now['name'], safe='')}@{now['hash']}?type={now['type']}"
    answer = requests.request(method, f"{nessie.uri}/api/v2/trees/{at}", json=wanted, timeout=30)
    answer.raise_for_status()


def _create(nessie: NessieServer, wanted: dict[str, str]) -> None:
    source = {"type": "DETACHED", "hash": wanted["hash"]}
    asked = {"name": wanted["name"], "type": wanted["type"]}
    url = f"{nessie.uri}/api/v2/trees"
    answer = requests.post(url, params=asked, json=source, timeout=30)
    answer.raise_for_status()
