"""The real servers: MinIO, Nessie and PostgreSQL, each on free ports of this machine."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import requests
from minio import Minio
from psycopg import sql

from testbed.artifacts import artifacts
from testbed.process import HOST, Command, Server
from utils.errors import ServiceDown

REGION = "us-east-1"
_ASK_S = 2.0


def answers(url: str) -> bool:
    """Say whether this address answers 200."""
    try:
        return requests.get(url, timeout=_ASK_S).ok
    except requests.RequestException:
        return False


class MinioServer(Server):
    """An object store on one folder; secrets are made for it."""

    name = "minio"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, ports=2)
        self.access_key = "testbed"
        self.secret_key = secrets.token_hex(16)

    @property
    def endpoint(self) -> str:
        """Return the URL of the S3 API."""
        return f"http://{self.address}"

    def command(self) -> Command:
        """Return how to start it: data in `folder`/data."""
        environ = {
            "HOME": str(self.folder),
            "PATH": os.environ["PATH"],
            "MINIO_ROOT_USER": self.access_key,
            "MINIO_ROOT_PASSWORD": self.secret_key,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
            "MINIO_SCANNER_SPEED": "slowest",
        }
        ports = ["--address", self.address, "--console-address", f"{HOST}:{self.ports[1]}"]
        arguments = [str(artifacts().minio), "server", str(self.folder / "data"), *ports]
        return Command(arguments, environ)

    def is_ready(self) -> bool:
        """Say whether it can read and write."""
        return answers(f"{self.endpoint}/minio/health/cluster")

    def client(self) -> Minio:
        """Return a client with every right."""
        return Minio(self.address, self.access_key, self.secret_key, secure=False, region=REGION)

    def make_bucket(self, name: str) -> None:
        """Make a bucket where there is none."""
        client = self.client()
        if not client.bucket_exists(name):
            client.make_bucket(name)

    def empty_bucket(self, name: str) -> None:
        """Leave the bucket without one object, fast: it is dropped and made again."""
        self.drop_bucket(name)
        self.make_bucket(name)

    def drop_bucket(self, name: str) -> None:
        """Remove a bucket and all that is in it."""
        client = self.client()
        if client.bucket_exists(name):
            # MinIO's own header: it drops the folder, where S3 wants every object deleted first.
            # The library's remove_bucket can send no header.
            client._execute("DELETE", name, headers={"x-minio-force-delete": "true"})


class NessieServer(Server):
    """A catalog whose tables are in one bucket of a MinIO server; its own store is RocksDB.

    That is as fast as its store in memory (6 ms for a branch, a commit and a deletion), and a
    restart loses nothing.
    """

    name = "nessie"

    def __init__(self, folder: Path, minio: MinioServer, *, bucket: str) -> None:
        super().__init__(folder, ports=2)
        self._minio = minio
        self._bucket = bucket

    @property
    def uri(self) -> str:
        """Return the base URL: /api/v1, /api/v2 and /iceberg are below it."""
        return f"http://{self.address}"

    def command(self) -> Command:
        """Write `folder`/config/application.properties, which Nessie reads from its folder."""
        config = self.folder / "config" / "application.properties"
        config.parent.mkdir(exist_ok=True)
        config.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        config.chmod(0o600)
        java = [str(artifacts().java), "-Xmx512m", "-XX:+UseSerialGC"]
        return Command([*java, "-jar", str(artifacts().nessie)])

    def is_ready(self) -> bool:
        """Say whether the API answers; whether the bucket does is not asked."""
        return answers(f"{self.uri}/api/v2/config")

    def _settings(self) -> dict[str, str]:
        s3 = "nessie.catalog.service.s3.default-options"
        # Under nessie.catalog.secrets a properties file fails its validation.
        secret = "lake.secrets.s3"  # noqa: S105 - a name
        return {
            "quarkus.http.host": HOST,
            "quarkus.http.port": str(self.ports[0]),
            "quarkus.management.host": HOST,
            "quarkus.management.port": str(self.ports[1]),
            "nessie.server.authentication.enabled": "false",
            "nessie.version.store.type": "ROCKSDB",
            "nessie.version.store.persist.rocks.database-path": str(self.folder / "rocksdb"),
            "nessie.catalog.default-warehouse": "warehouse",
            "nessie.catalog.warehouses.warehouse.location": f"s3://{self._bucket}/",
            f"{s3}.endpoint": f"{self._minio.endpoint}/",
            f"{s3}.path-style-access": "true",
            f"{s3}.region": REGION,
            f"{s3}.request-signing-enabled": "false",
            f"{s3}.access-key": f"urn:nessie-secret:quarkus:{secret}",
            f"{secret}.name": self._minio.access_key,
            f"{secret}.secret": self._minio.secret_key,
        }

    def reset(self) -> None:
        """Empty main and delete every other branch and tag; the buckets keep their objects."""
        with requests.Session() as session:
            root = self._ask(session, "GET", "config")["noAncestorHash"]
            references = self._ask(session, "GET", "trees")["references"]
            for reference in references:
                kind, name, head = reference["type"], reference["name"], reference["hash"]
                at = f"trees/{quote(name, safe='')}@{head}?type={kind}"
                if name != "main":
                    self._ask(session, "DELETE", at)
                elif head != root:
                    target = {"type": "BRANCH", "name": "main", "hash": root}
                    self._ask(session, "PUT", at, target)

    def _ask(
        self, session: requests.Session, method: str, path: str, body: object = None
    ) -> dict[str, Any]:
        url = f"{self.uri}/api/v2/{path}"
        response = session.request(method, url, json=body, timeout=30)
        if not response.ok:
            raise ServiceDown(
                f"Nessie answered {response.status_code}: {response.text[:500]}",
                operation="reset Nessie",
                subject=url,
            )
        return dict(response.json())


class PostgresServer(Server):
    """A PostgreSQL cluster; `durable=False` gives up the safety of fsync for speed."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": it does not wait for its clients

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder)
        self._durable = durable
        self._password = secrets.token_hex(16)
        # PostgreSQL refuses to run as root.
        self._user = _system_user() if os.geteuid() == 0 else None

    def url(self, database: str = "postgres") -> str:
        """Return the address as DATABASE_URL wants it."""
        return f"postgresql+psycopg://gamelake:{self._password}@{self.address}/{database}"

    def command(self) -> Command:
        """Make the cluster where there is none; return how to start it."""
        data = self.folder / "data"
        if not (data / "PG_VERSION").is_file():
            self._make_cluster(data)
        options = {
            "listen_addresses": HOST,
            "port": str(self.ports[0]),
            "unix_socket_directories": "",
            "shared_buffers": "32MB",
            "max_connections": "60",
            "max_wal_size": "128MB",
            "fsync": "on" if self._durable else "off",
        }
        said = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        program = str(artifacts().postgres / "postgres")
        return Command([program, "-D", str(data), *said], user=self._user)

    def is_ready(self) -> bool:
        """Say whether it takes connections."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Make a database, a copy of `template`, and return its address.

        PostgreSQL copies only what nobody is connected to.
        """
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, its clients included."""
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def _execute(self, statement: sql.Composed) -> None:
        with self._connect() as connection:
            connection.execute(statement)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        plain = self.url().replace("+psycopg", "")
        return psycopg.connect(plain, autocommit=True, connect_timeout=2)

    def _make_cluster(self, data: Path) -> None:
        password = self.folder / "password"
        password.write_text(self._password)
        password.chmod(0o600)
        if self._user is not None:
            for path in (self.folder, password):
                shutil.chown(path, self._user, self._user)
        program = str(artifacts().postgres / "initdb")
        said = ["-U", "gamelake", "--pwfile", str(password), "-A", "scram-sha-256"]
        shape = ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [program, "-D", str(data), *said, *shape],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )
        if done.returncode:
            raise ServiceDown(
                f"initdb failed: {done.stderr.strip()}",
                operation="make a PostgreSQL cluster",
                subject=str(data),
                hint="the folder must be reachable for the user postgres",
            )


def _system_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
