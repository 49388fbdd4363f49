"""Opens the engine that a run asks for."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.context import EtlContext
from etl.engine import BuildEngine
from etl.engine_contract import Engine, EngineName, Places
from etl.local_copies import LocalCopies
from etl.spark_engine import open_spark
from etl.spark_files import SparkPlaces
from storage.scratch import ScratchFolder


@contextmanager
def open_engine(ctx: EtlContext, name: EngineName, branch: str) -> Iterator[tuple[Engine, Places]]:
    """Give the engine, which can write on `branch`, and where it finds the lake's files."""
    with ScratchFolder(ctx.scratch) as scratch:
        if name == "spark":
            with open_spark(ctx.spark, branch, scratch.path) as engine:
                yield engine, SparkPlaces(ctx.raw)
        else:
            with BuildEngine(scratch.path, memory_mb=ctx.memory_mb) as engine:
                yield engine, LocalCopies(ctx.raw, ctx.catalog.files, scratch.path)
