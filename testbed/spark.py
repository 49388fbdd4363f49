"""What Spark needs to read and write our tables: two jars by Maven, beside the other servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.artifacts import artifacts, missing

ICEBERG_VERSION = "1.12.0"
_REGION = "us-east-1"  # MinIO's own


@dataclass(frozen=True)
class Jar:
    """A file of Maven's: its coordinates, and the content that was tested."""

    artifact: str
    sha256: str

    def path(self, cache: Path) -> Path:
        """Return where it is, or will be, below the cache of all servers."""
        return cache / "spark" / f"{self.artifact}-{ICEBERG_VERSION}.jar"


JARS = (
    Jar(
        "iceberg-spark-runtime-4.1_2.13",
        "3123c3798af642dd537230923548e013ef41cc28b6626e5225808cf5670a0f82",
    ),
    Jar(
        "iceberg-aws-bundle",
        "dd7e49ffa4ac9b215bed846581991259e3aec9bb2fa08d6cec029c46cd66d957",
    ),
)


def spark_jars() -> tuple[str, ...]:
    """Return the paths of all jars; raises UsageError when one is missing."""
    paths = [jar.path(artifacts().cache) for jar in JARS]
    for path in paths:
        if not path.is_file():
            raise missing(path.name, "python -m testbed install (make test-integration does it)")
    return tuple(str(path) for path in paths)


def catalog_options(settings: Mapping[str, str], name: str, ref: str = "main") -> dict[str, str]:
    """Return Spark's options for catalog `name`: the tables of a reference of Nessie's.

    `settings` are the variables of a lake on the stack. That is what a person who has Spark and
    nothing of ours would set.
    """
    catalog = f"spark.sql.catalog.{name}"
    return {
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "rest",
        f"{catalog}.uri": f"{settings['NESSIE_URI']}/iceberg/{ref}",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.s3.endpoint": settings["MINIO_ENDPOINT"],
        f"{catalog}.s3.path-style-access": "true",
        f"{catalog}.s3.access-key-id": settings["MINIO_ACCESS_KEY"],
        f"{catalog}.s3.secret-access-key": settings["MINIO_SECRET_KEY"],
        f"{catalog}.client.region": _REGION,
    }
