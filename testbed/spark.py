"""What Spark needs to read and write our tables: jars by Maven, beside the other servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.artifacts import artifacts, missing

_ICEBERG = ("org.apache.iceberg", "1.12.0")
_HADOOP = ("org.apache.hadoop", "3.4.2")  # of PySpark 4.1.4
_AWS = ("software.amazon.awssdk", "2.54.17")  # of iceberg-aws-bundle, which holds most of it
_REGION = "us-east-1"  # MinIO's own


@dataclass(frozen=True)
class Jar:
    """A file of Maven's: its coordinates, and the content that was tested."""

    origin: tuple[str, str]
    name: str
    sha256: str

    @property
    def coordinates(self) -> str:
        """Return what Maven calls it."""
        group, version = self.origin
        return f"{group}:{self.name}:{version}"

    def path(self, cache: Path) -> Path:
        """Return where it is, or will be, below the cache of all servers."""
        return cache / "spark" / f"{self.name}-{self.origin[1]}.jar"


JARS = (
    Jar(
        _ICEBERG,
        "iceberg-spark-runtime-4.1_2.13",
        "3123c3798af642dd537230923548e013ef41cc28b6626e5225808cf5670a0f82",
    ),
    Jar(
        _ICEBERG,
        "iceberg-aws-bundle",
        "dd7e49ffa4ac9b215bed846581991259e3aec9bb2fa08d6cec029c46cd66d957",
    ),
    Jar(_HADOOP, "hadoop-aws", "d2d24e6b715b5656b9d238bf13b6682a07e2004dd36aad74a73aeb854319f4d9"),
    Jar(
        _AWS,
        "s3-transfer-manager",
        "7bef0ea4efd5e0860bab63e08317040951edb51b72a5be734284c28b8324ab87",
    ),
    Jar(_AWS, "apache-client", "0b00ae3d55c3d1213ca47b5651dc4c2a0080fc9b6192dde3d53c3da6c1811bcb"),
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
