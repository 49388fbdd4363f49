"""Raw parts: a parquet file and, written after it, the manifest that makes it exist."""

import hashlib
import io
from dataclasses import dataclass, replace
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ConfigDict, TypeAdapter, ValidationError

from storage.layout import manifest_key, part_key, run_prefix
from storage.object_store import ObjectStore
from utils.errors import Damaged

_SUFFIX = manifest_key(".parquet")


@dataclass(frozen=True)
class PageRef:
    """One source page that a part accounts for."""

    window: str
    page: int
    api_count: int
    rows: int


@dataclass(frozen=True)
class Manifest:
    """What a part holds and which pages it accounts for.

    `rows` counts the rows stored in this part; `new`, `changed`, `enriched`, `unchanged` and
    `quarantined` count the rows seen on its pages. Times are ISO text with microseconds, UTC.
    """

    source: str
    entity: str
    run_id: str
    number: int
    listing: str
    rows: int
    new: int
    changed: int
    enriched: int
    unchanged: int
    quarantined: int
    pages: tuple[PageRef, ...]
    spool_segment: str
    first_fetched_at: str
    last_fetched_at: str
    sha256: str
    bytes: int

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class RawPart:
    """A durable raw part: the key of its parquet object and its manifest."""

    key: str
    manifest: Manifest


_manifests = TypeAdapter(Manifest)


def encode_part(table: pa.Table) -> bytes:
    """Return `table` as the bytes of a part."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def write_part(store: ObjectStore, table: pa.Table, manifest: Manifest) -> RawPart:
    """Store `table` as the part that `manifest` names; see `store_part`."""
    return store_part(store, encode_part(table), manifest)


def store_part(store: ObjectStore, data: bytes, manifest: Manifest) -> RawPart:
    """Store an encoded part under the key that `manifest` names, then the manifest, filled in.

    The same part again is fine (a replay after a crash). Raises GamelakeError when the key is
    taken by other bytes; `next_part_number` gives a free one.
    """
    digest = hashlib.sha256(data).hexdigest()
    key = part_key(manifest.source, manifest.entity, manifest.run_id, manifest.number)
    filled = replace(manifest, sha256=digest, bytes=len(data))
    store.put(key, data)
    store.put(manifest_key(key), _manifests.dump_json(filled, indent=1))
    return RawPart(key, filled)


def list_parts(
    store: ObjectStore, source: str, entity: str, run_id: str | None = None
) -> list[RawPart]:
    """Return the parts that have a manifest, ordered by (run_id, number).

    Raises Damaged naming a manifest that this version cannot read.
    """
    prefix = f"{source}/{entity}/" if run_id is None else run_prefix(source, entity, run_id)
    keys = [info.key for info in store.list(prefix) if info.key.endswith(_SUFFIX)]
    parts = [RawPart(key.removesuffix(_SUFFIX) + ".parquet", _read(store, key)) for key in keys]
    return sorted(parts, key=lambda part: (part.manifest.run_id, part.manifest.number))


def next_part_number(store: ObjectStore, source: str, entity: str, run_id: str) -> int:
    """Return the first number above every part of the run, those without a manifest included.

    A part whose writer died before the manifest does not exist, but its key is taken: raw is
    never overwritten, so the rows go to the next number.
    """
    keys = [info.key for info in store.list(run_prefix(source, entity, run_id))]
    return max((_number(key) for key in keys if key.endswith(".parquet")), default=0) + 1


def part_problems(store: ObjectStore, part: RawPart) -> list[str]:
    """Return what is wrong with a stored part, one line each; empty when it is whole."""
    info = store.stat(part.key)
    if info is None:
        return [f"{part.key}: the manifest names it but it is missing"]
    manifest, problems = part.manifest, []
    try:
        data = store.get(part.key)
    except Damaged as error:
        return [error.message]
    if hashlib.sha256(data).hexdigest() != manifest.sha256 or info.size != manifest.bytes:
        problems.append(f"{part.key}: its bytes are not those the manifest recorded")
    elif pq.read_metadata(io.BytesIO(data)).num_rows != manifest.rows:
        problems.append(f"{part.key}: it does not hold {manifest.rows} rows")
    seen = sum(page.rows for page in manifest.pages)
    counted = manifest.new + manifest.changed + manifest.enriched
    if seen != counted + manifest.unchanged + manifest.quarantined:
        problems.append(f"{part.key}: {seen} rows seen are not all accounted for")
    return problems


def _read(store: ObjectStore, key: str) -> Manifest:
    try:
        return _manifests.validate_json(store.get(key))
    except ValidationError as error:
        raise Damaged(
            f"the manifest {key} cannot be read: {error.errors()[0]['msg']}",
            operation="read a manifest",
            subject=key,
            hint=f"written by a newer gamelake? Then upgrade; else {Damaged.next_step}",
        ) from None


def _number(key: str) -> int:
    return int(key.removesuffix(".parquet").rpartition("part-")[2])
