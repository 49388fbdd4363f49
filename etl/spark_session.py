"""Starts Spark, or uses the one that runs; says in our words what goes wrong with it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from etl.spark_settings import SparkSettings
from utils.errors import GamelakeError, ServiceDown, UsageError
from utils.extras import install_command

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_NO_JARS = ("Cannot find catalog plugin class", "S3AFileSystem not found", "ClassNotFoundException")
_NOT_STARTED = ("JAVA_GATEWAY_EXITED", "Could not parse Master URL")
# Whatever a cluster's defaults are: the same text means the same day, and an overflow is an error.
_MEANING = {"spark.sql.session.timeZone": "UTC", "spark.sql.ansi.enabled": "true"}


@contextmanager
def spark_session(settings: SparkSettings, branch: str) -> "Iterator[SparkSession]":
    """Give a session of our own that knows `branch`'s tables; a Spark that we start, we stop.

    Raises UsageError when PySpark or a jar is missing, ServiceDown when Spark or its workers fail.
    """
    sessions = _pyspark()
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # we tell it ourselves
    running = sessions.getActiveSession() is not None
    with explained(settings.master):
        started = _start(sessions, settings)
        try:
            session = started.newSession()
            stack = settings.stack.options(branch) if settings.stack else {}
            for name, value in (_MEANING | stack).items():
                session.conf.set(name, value)
            yield session
        finally:
            if not running:
                started.stop()


def _pyspark() -> "type[SparkSession]":
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise UsageError(
            "PySpark is not installed",
            operation="start Spark",
            subject="--engine",
            hint=f"{install_command('pyspark==4.1.4')}; it wants Java 17",
        ) from error
    sessions: type[SparkSession] = SparkSession
    return sessions


def _start(sessions: "type[SparkSession]", settings: SparkSettings) -> "SparkSession":
    builder = sessions.builder.appName("gamelake etl").master(settings.master)
    started = builder.config(map=settings.options()).getOrCreate()
    started.sparkContext.setLogLevel("ERROR")
    return started


@contextmanager
def explained(master: str) -> Iterator[None]:
    """Raise our errors for Spark's; see `spark_session`."""
    from py4j.protocol import Py4JError  # noqa: PLC0415 - comes with PySpark
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise _ours(error, master) from error


def _ours(error: Exception, master: str) -> GamelakeError:
    said = str(error)
    line = next((text.strip() for text in said.splitlines() if text.strip()), type(error).__name__)
    if any(words in said for words in _NO_JARS):
        return UsageError(
            "Spark has no jars for Iceberg and S3",
            operation="start Spark",
            subject="SPARK_JARS",
            hint="set SPARK_JARS to their paths; docs/runbook.md says how to get them",
        )
    if any(words in said for words in _NOT_STARTED):
        return UsageError(
            f"Spark did not start with SPARK_MASTER={master}; its own words are above",
            operation="start Spark",
            subject="SPARK_MASTER",
            hint="it wants Java 17 or newer, by JAVA_HOME or on PATH, and a master URL of Spark's",
        )
    return ServiceDown(
        f"Spark failed: {line}",
        operation="build",
        subject=f"SPARK_MASTER={master}",
        hint="nothing is published. `gamelake verify` names damaged files; look at Spark's logs, "
        "or build with --engine duckdb",
    )
