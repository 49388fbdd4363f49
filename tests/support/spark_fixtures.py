"""One Spark for a test process: it takes 5 s to start."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from testbed.spark import catalog_options, spark_jars
from utils.errors import UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OPTIONS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


@pytest.fixture(scope="session")
def spark() -> "Iterator[SparkSession]":
    """Spark on two threads, as a person would start it who has nothing of ours."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - slow, and only tests on a stack have it

    jars = {"spark.jars": ",".join(_jars_here())}
    session = SparkSession.builder.master("local[2]").config(map=_OPTIONS | jars).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def _jars_here() -> tuple[str, ...]:
    """Return the jars for Iceberg and S3 where they are installed: only the stack needs them."""
    try:
        return spark_jars()
    except UsageError:
        return ()


def attach(session: "SparkSession", settings: Mapping[str, str], name: str, ref: str) -> str:
    """Let `session` know the tables of a reference as catalog `name`, which must be new."""
    for option, value in catalog_options(settings, name, ref).items():
        session.conf.set(option, value)
    return name
