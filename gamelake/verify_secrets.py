"""No secret in any file of a lake, whatever the file's form."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gamelake.context import Lake
from storage.object_store import ObjectStore
from utils.redact import Redactor

# Shorter ones stand in innocent words; whoever sets such a key has no secret to lose.
_SHORTEST = 8
_CHUNK = 1 << 24
_OVERLAP = 4096


def secrets_are_absent(lake: Lake) -> Iterator[str]:
    """Yield the files under GAMELAKE_HOME, and raw objects, in which a configured secret stands."""
    secrets = [secret for secret in lake.settings.secrets() if len(secret) >= _SHORTEST]
    if not secrets:
        return
    redact = Redactor(secrets)
    for path in sorted(lake.paths.home.rglob("*")):
        if path.is_file() and any(redact.finds_secret(text) for text in _texts(path)):
            yield f"a secret stands in {path}"
    if lake.settings.gamelake_profile == "stack":
        yield from _in_objects(lake.raw, redact)


def _in_objects(raw: ObjectStore, redact: Redactor) -> Iterator[str]:
    for info in raw.list(""):
        with tempfile.TemporaryDirectory() as folder:
            (path,) = raw.fetch([info.key], Path(folder))
            if any(redact.finds_secret(text) for text in _texts(path)):
                yield f"a secret stands in {raw.uri(info.key)}"


def _texts(path: Path) -> Iterator[str]:
    """Yield the file's bytes as text in overlapping chunks, and what parquet hides by packing."""
    with path.open("rb") as file:
        tail = b""
        while chunk := file.read(_CHUNK):
            yield (tail + chunk).decode("latin-1")
            tail = chunk[-_OVERLAP:]
    if path.suffix == ".parquet":
        yield from _unpacked(path)


def _unpacked(path: Path) -> Iterator[str]:
    """Yield each batch as uncompressed Arrow: text stands in its buffers as it is."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema) as stream:
                stream.write_batch(batch)
            yield sink.getvalue().to_pybytes().decode("latin-1")
