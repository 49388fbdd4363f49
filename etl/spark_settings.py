"""Where Spark runs, and how it gets at Nessie and MinIO. Knows no Spark."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from utils.config import Settings

if TYPE_CHECKING:
    from storage.minio_http import MinioAddress

BRANCH_CATALOG = "branch"  # Spark's name for the tables of the branch that a run builds on


@dataclass(frozen=True)
class SparkStack:
    """The servers, as Spark's workers must reach them too."""

    nessie_uri: str
    minio: "MinioAddress"
    region: str

    def options(self, branch: str) -> dict[str, str]:
        """Return Spark's options: s3a for raw and published files, Iceberg for `branch`."""
        catalog, s3a = f"spark.sql.catalog.{BRANCH_CATALOG}", "fs.s3a"
        return {
            catalog: "org.apache.iceberg.spark.SparkCatalog",
            f"{catalog}.type": "rest",
            f"{catalog}.uri": f"{self.nessie_uri}/iceberg/{branch}",
            f"{catalog}.cache-enabled": "false",  # we make tables beside Spark
            f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            f"{catalog}.s3.endpoint": str(self.minio),
            f"{catalog}.s3.path-style-access": "true",
            f"{catalog}.s3.access-key-id": self.minio.access_key,
            f"{catalog}.s3.secret-access-key": self.minio.secret_key,
            f"{catalog}.client.region": self.region,
            f"{s3a}.endpoint": str(self.minio),
            f"{s3a}.endpoint.region": self.region,
            f"{s3a}.path.style.access": "true",
            f"{s3a}.access.key": self.minio.access_key,
            f"{s3a}.secret.key": self.minio.secret_key,
            f"{s3a}.attempts.maximum": "3",  # or a MinIO that is down is told after minutes
            f"{s3a}.retry.limit": "3",
        }


@dataclass(frozen=True)
class SparkSettings:
    """`master` is Spark's master URL, `jars` are paths; without `stack` the lake is a folder."""

    master: str = "local[*]"
    jars: tuple[str, ...] = ()
    stack: SparkStack | None = None

    def options(self) -> dict[str, str]:
        """Return what must be said before Spark starts."""
        said = {"spark.ui.showConsoleProgress": "false"}  # ours is enough
        said |= {"spark.jars": ",".join(self.jars)} if self.jars else {}
        return said | (_LOCAL if self.master.split("[")[0] == "local" else {})


# One process needs no web page, and no more partitions than keep its threads busy.
_LOCAL = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.sql.shuffle.partitions": "16",
    "spark.ui.enabled": "false",
}


def spark_settings(settings: Settings) -> SparkSettings:
    """Return what SPARK_MASTER, SPARK_JARS and the profile say."""
    jars = tuple(jar.strip() for jar in settings.spark_jars.split(",") if jar.strip())
    return SparkSettings(settings.spark_master, jars, _stack(settings))


def _stack(settings: Settings) -> SparkStack | None:
    if settings.gamelake_profile != "stack":
        return None
    from storage.minio_http import REGION, parse_address  # noqa: PLC0415 - slow, and the stack's

    minio = parse_address(
        settings.minio_endpoint,
        settings.minio_access_key.get_secret_value(),
        settings.minio_secret_key.get_secret_value(),
    )
    return SparkStack(settings.nessie_uri.rstrip("/"), minio, REGION)
