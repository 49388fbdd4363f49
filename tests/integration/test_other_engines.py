"""Engines of others read what is published on Nessie and MinIO: the same tables, the same rows.

They know nothing of ours: Spark has Iceberg's jars, pyiceberg its REST catalog.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
from engine_stars import different, star_in
from lakes import LakeUnderTest
from pyiceberg.catalog import Catalog, load_catalog
from simulated import running
from spark_fixtures import attach

from etl.iceberg_schemas import TABLES
from serving.lake import connect
from storage.layout import MAIN, NAMESPACE, run_tag
from testbed.stack import Stack
from utils.config import load_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [
    pytest.mark.stack,
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),  # PySpark's
]
GAMES = 600


@dataclass(frozen=True)
class Published:
    """Two publishes on the stack: `first` is the run of the older one."""

    settings: Mapping[str, str]
    lake: LakeUnderTest
    first: str


@pytest.fixture(scope="module")
def published(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    settings = stack.start().fresh()
    with running(games=GAMES) as source:
        home = tmp_path_factory.mktemp("stack") / "lake"
        lake = LakeUnderTest(home, source.base_url, settings)
        lake.must("ingest")
        first = lake.must("etl")["run_id"]
        source.control.change(7, rating=4.5, playtime=99)
        lake.must("ingest")
        assert lake.must("etl")["mode"] == "incremental"
        yield Published(settings, lake, first)


def in_spark(session: "SparkSession", catalog: str) -> dict[str, pa.Table]:
    names = [
        row.tableName for row in session.sql(f"SHOW TABLES IN {catalog}.{NAMESPACE}").collect()
    ]
    return {name: session.table(f"{catalog}.{NAMESPACE}.{name}").toArrow() for name in names}


def pyiceberg_catalog(settings: Mapping[str, str]) -> Catalog:
    options = {
        "uri": f"{settings['NESSIE_URI']}/iceberg/{MAIN}",
        "s3.endpoint": settings["MINIO_ENDPOINT"],
        "s3.access-key-id": settings["MINIO_ACCESS_KEY"],
        "s3.secret-access-key": settings["MINIO_SECRET_KEY"],
        "s3.region": "us-east-1",
        "s3.path-style-access": "true",
    }
    return load_catalog("anyone", type="rest", **options)


def test_spark_reads_every_table(published: Published, spark: "SparkSession") -> None:
    ours = star_in(published.lake)

    found = in_spark(spark, attach(spark, published.settings, "newest", MAIN))

    assert ours["fact_games"].num_rows == GAMES
    assert ours["fact_game_history"].num_rows == GAMES + 1
    assert different(found, ours) == []


def test_spark_counts_without_reading_files(published: Published, spark: "SparkSession") -> None:
    catalog = attach(spark, published.settings, "counted", MAIN)

    counts = {
        name: spark.sql(f"SELECT count(*) AS n FROM {catalog}.{NAMESPACE}.{name}").first()["n"]
        for name in TABLES
    }

    assert counts == {name: rows.num_rows for name, rows in star_in(published.lake).items()}


def test_spark_reads_an_older_run_by_its_tag(published: Published, spark: "SparkSession") -> None:
    tag = run_tag(published.first)
    ours = star_in(published.lake, tag)

    found = in_spark(spark, attach(spark, published.settings, "older", tag))

    assert ours["fact_game_history"].num_rows == GAMES
    assert different(found, ours) == []


def test_spark_joins_the_star(published: Published, spark: "SparkSession") -> None:
    """A question over four tables, in words that both engines know."""
    catalog = attach(spark, published.settings, "joined", MAIN)
    question = """
        SELECT g.genre_name, d.year_number, count(*) AS games, max(f.source_updated_at) AS newest
        FROM {0}fact_games f
        JOIN {0}bridge_game_genre b ON b.game_id = f.game_id
        JOIN {0}dim_genre g ON g.genre_key = b.genre_key
        JOIN {0}dim_date d ON d.date_key = f.release_date_key
        GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST
    """
    with connect(load_settings(published.lake.environ, dotenv=None)) as engine:
        ours = engine.sql(question.format(f"{NAMESPACE}.")).fetchall()

    found = spark.sql(question.format(f"{catalog}.{NAMESPACE}.")).collect()

    assert len(ours) > 20
    assert [tuple(row) for row in found] == ours


def test_pyiceberg_and_duckdb_read_every_table(published: Published) -> None:
    catalog = pyiceberg_catalog(published.settings)
    tables = {table[-1]: catalog.load_table(table) for table in catalog.list_tables(NAMESPACE)}
    found: dict[str, Any] = {name: table.scan().to_arrow() for name, table in tables.items()}

    with duckdb.connect() as connection:
        for name, rows in found.items():
            connection.register(name, rows)
        read = {name: connection.table(name).to_arrow_table() for name in found}

    assert different(read, star_in(published.lake)) == []


def test_spark_reads_a_lake_without_servers(tmp_path: Path, spark: "SparkSession") -> None:
    """Spark cannot ask the embedded catalog, but the files that it names are plain parquet."""
    with running(games=GAMES) as source:
        lake = LakeUnderTest(tmp_path / "lake", source.base_url)
        lake.must("run")
    with lake.open() as opened:
        tables = opened.catalog.pin(MAIN).tables
        files = {name: [file.path for file in table.data_files] for name, table in tables.items()}

    found = {name: spark.read.parquet(*paths).toArrow() for name, paths in files.items()}

    assert different(found, star_in(lake)) == []
