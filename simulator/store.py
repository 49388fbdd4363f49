"""Rows encoded once, in both shapes, and the arrays to sort and filter them by.

Small catalogues live in memory. Large generated ones are built by several processes into a folder
of the temporary directory, once per (blend, version), and are read from there.
"""

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path

import numpy as np

from simulator.columns import (
    FACETS,
    Array,
    Columns,
    Facet,
    columns_of,
    facets_of,
    join_columns,
    join_facets,
    names_of,
)
from simulator.draws import CHUNK, Blend
from simulator.generator import chunk_rows
from simulator.shapes import encode, filtered_row
from simulator.vocabulary import Row

VERSION = 2  # of everything below and of the generator: a new one leaves old caches alone
IN_MEMORY = 20_000  # games; building so few takes a second or less
_BUILDING = "building-"
_SHAPES = ("browse", "filtered", "names")


class Packed:
    """Many byte strings one after the other: item i is at `starts[i]` to `starts[i + 1]`.

    A file is read, not mapped: the system's cache is as fast, and this process stays small.
    """

    def __init__(self, source: bytes | Path, starts: Array) -> None:
        self._bytes = source if isinstance(source, bytes) else b""
        self._file = None if isinstance(source, bytes) else source.open("rb", buffering=0)
        self._starts = starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def get(self, positions: Array) -> list[bytes]:
        """Return the items at `positions`."""
        starts, ends = self._starts[positions].tolist(), self._starts[positions + 1].tolist()
        spans = zip(starts, ends, strict=True)
        if self._file is None:
            return [self._bytes[a:b] for a, b in spans]
        number = self._file.fileno()
        return [os.pread(number, b - a, a) for a, b in spans]

    def find(self, text: bytes) -> Array:
        """Return the positions of items that contain `text`."""
        hits = [match.start() for match in re.finditer(re.escape(text), self._whole())]
        return np.unique(np.searchsorted(self._starts, hits, side="right") - 1)

    def _whole(self) -> bytes:
        if self._file is None:
            return self._bytes
        return os.pread(self._file.fileno(), int(self._starts[-1]), 0)

    def close(self) -> None:
        """Close the file, when there is one."""
        if self._file is not None:
            self._file.close()


@dataclass(frozen=True)
class Store:
    """An unchangeable catalogue: one entry per game in every array, in order of id."""

    columns: Columns
    facets: dict[str, Facet]
    name_order: Array  # positions sorted by name
    browse: Packed
    filtered: Packed
    names: Packed

    def __len__(self) -> int:
        return len(self.columns.id)

    def close(self) -> None:
        """Release the mapped files."""
        for packed in (self.browse, self.filtered, self.names):
            packed.close()


@dataclass(frozen=True)
class Part:
    """A run of games, encoded; `packed` holds the items' bytes and lengths by shape."""

    columns: Columns
    facets: dict[str, Facet]
    packed: dict[str, tuple[bytes, Array]]


def part_of(rows: Sequence[Row]) -> Part:
    """Encode browse rows in both shapes and read their columns."""
    items = {
        "browse": [encode(row) for row in rows],
        "filtered": [encode(filtered_row(row)) for row in rows],
        "names": [name.encode(errors="surrogatepass") for name in names_of(rows)],
    }
    packed = {
        shape: (b"".join(found), np.fromiter(map(len, found), np.int64, len(found)))
        for shape, found in items.items()
    }
    return Part(columns_of(rows), facets_of(rows), packed)


def memory_store(parts: Iterable[Part]) -> Store:
    """Return a store of these parts, held in memory."""
    held = list(parts)
    packed = {}
    for shape in _SHAPES:
        buffers, lengths = zip(*(part.packed[shape] for part in held), strict=True)
        packed[shape] = Packed(b"".join(buffers), _starts(lengths))
    columns = join_columns([part.columns for part in held])
    facets = join_facets([part.facets for part in held])
    return Store(columns, facets, _name_order(packed["names"]), **packed)


def generated_store(blend: Blend) -> Store:
    """Return the store of a generated catalogue; a large one is built once and kept on disk."""
    if blend.games <= IN_MEMORY:
        return memory_store(_part(blend, first) for first in _firsts(blend))
    folder = cache_folder() / _label(blend)
    if not folder.is_dir():
        _build(blend, folder)
    return _open(folder)


def cache_folder() -> Path:
    """Return the folder of this user's generated catalogues; it may be deleted at any time."""
    return Path(tempfile.gettempdir()) / f"gamelake-simulator-{os.getuid()}"


def _label(blend: Blend) -> str:
    return f"v{VERSION}-" + "-".join(str(getattr(blend, f.name)) for f in fields(blend))


def _firsts(blend: Blend) -> range:
    return range(0, max(blend.games, 1), CHUNK)


def _part(blend: Blend, first: int) -> Part:
    return part_of(chunk_rows(blend, first))


def _parts(blend: Blend) -> Iterator[Part]:
    workers = min(os.cpu_count() or 1, 8)
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        yield from pool.map(partial(_part, blend), _firsts(blend))


def _end_with_parent() -> None:
    """End this worker when the server is gone, however it went; the pool itself would not."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _build(blend: Blend, folder: Path) -> None:
    """Write beside the final place, then rename: a folder that exists is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    building = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{os.getpid()}-", dir=folder.parent))
    try:
        _write(building, _parts(blend))
        building.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster, which is as good
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Delete what processes that are gone left half built."""
    for left in parent.glob(f"{_BUILDING}*"):
        try:
            os.kill(int(left.name.split("-")[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(left, ignore_errors=True)


def _write(folder: Path, parts: Iterable[Part]) -> None:
    columns, facets = [], []
    lengths: dict[str, list[Array]] = {shape: [] for shape in _SHAPES}
    files = {shape: (folder / shape).open("wb") for shape in _SHAPES}
    try:
        for part in parts:
            columns.append(part.columns)
            facets.append(part.facets)
            for shape, (buffer, sizes) in part.packed.items():
                files[shape].write(buffer)
                lengths[shape].append(sizes)
    finally:
        for file in files.values():
            file.close()
    _write_arrays(folder, join_columns(columns), join_facets(facets), lengths)


def _write_arrays(
    folder: Path, columns: Columns, facets: dict[str, Facet], lengths: dict[str, list[Array]]
) -> None:
    arrays = {f"column_{name}": getattr(columns, name) for name in Columns.names()}
    arrays |= {f"{name}_starts": facet.starts for name, facet in facets.items()}
    arrays |= {f"{name}_ids": facet.ids for name, facet in facets.items()}
    arrays |= {f"at_{shape}": _starts(sizes) for shape, sizes in lengths.items()}
    names = Packed((folder / "names").read_bytes(), arrays["at_names"])
    np.savez(folder / "arrays.npz", name_order=_name_order(names), **arrays)


def _open(folder: Path) -> Store:
    with np.load(folder / "arrays.npz") as arrays:
        columns = Columns(*(arrays[f"column_{name}"] for name in Columns.names()))
        facets = {n: Facet(arrays[f"{n}_starts"], arrays[f"{n}_ids"]) for n in FACETS}
        packed = {shape: Packed(folder / shape, arrays[f"at_{shape}"]) for shape in _SHAPES}
        return Store(columns, facets, arrays["name_order"], **packed)


def _starts(lengths: Sequence[Array]) -> Array:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])


def _name_order(names: Packed) -> Array:
    found = names.get(np.arange(len(names)))
    return np.array(sorted(range(len(found)), key=found.__getitem__), dtype=np.int64)
