"""The whole stack, wired together: what a lake of GAMELAKE_PROFILE=stack needs."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed.servers import MinioServer, NessieServer, PostgresServer

RAW, WAREHOUSE = "raw", "warehouse"


class Stack:
    """MinIO with two buckets, Nessie on one of them, PostgreSQL; a context manager.

    `folder` is kept when it is given; else a folder of its own is made and removed. It must be
    reachable for every user of this machine: PostgreSQL does not run as root.
    """

    def __init__(self, folder: Path | None = None, *, durable: bool = True) -> None:
        self._own = folder is None
        self.folder = folder or make_folder()
        self.minio = MinioServer(self.folder / "minio")
        self.nessie = NessieServer(self.folder / "nessie", self.minio, bucket=WAREHOUSE)
        self.postgres = PostgresServer(self.folder / "postgres", durable=durable)
        self._databases = 0

    def start(self) -> Self:
        """Start all three and make the buckets; nothing stays when one does not come up."""
        with ExitStack() as undo, ThreadPoolExecutor() as pool:
            undo.callback(self.stop)
            postgres = pool.submit(self.postgres.start)
            self.minio.start()
            for bucket in (RAW, WAREHOUSE):
                self.minio.make_bucket(bucket)
            self.nessie.start()
            postgres.result()
            undo.pop_all()
        return self

    def stop(self) -> None:
        """Stop all three."""
        for server in (self.nessie, self.postgres, self.minio):
            server.stop()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self, database: str = "postgres") -> dict[str, str]:
        """Return the environment variables of a lake on this stack."""
        return {
            "GAMELAKE_PROFILE": "stack",
            "MINIO_ENDPOINT": self.minio.endpoint,
            "MINIO_ACCESS_KEY": self.minio.access_key,
            "MINIO_SECRET_KEY": self.minio.secret_key,
            "MINIO_RAW_BUCKET": RAW,
            "MINIO_WAREHOUSE_BUCKET": WAREHOUSE,
            "NESSIE_URI": self.nessie.uri,
            "DATABASE_URL": self.postgres.url(database),
        }

    def fresh(self) -> dict[str, str]:
        """Empty the buckets and the catalog, make an empty database; return the variables.

        The database of the call before is removed. Takes 0.1 s.
        """
        self.minio.empty_bucket(RAW)
        self.empty_catalog()
        if self._databases:
            self.postgres.drop_database(f"lake{self._databases}")
        self._databases += 1
        self.postgres.create_database(f"lake{self._databases}")
        return self.settings(f"lake{self._databases}")

    def empty_catalog(self) -> None:
        """Leave an empty main, no other reference and no file of a table."""
        self.nessie.reset()
        self.minio.empty_bucket(WAREHOUSE)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def make_folder() -> Path:
    """Make a folder that every user of this machine can reach."""
    folder = Path(tempfile.mkdtemp(prefix="gamelake-stack-"))
    folder.chmod(0o755)
    return folder
