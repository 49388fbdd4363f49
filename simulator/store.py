"""Rows encoded once, in both shapes, and the arrays to sort and filter them by.

Small catalogues live in memory. Large generated ones are built by several processes into a folder
of the temporary directory, once per (blend, version), and are memory-mapped from there.
"""

import mmap
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from multiprocessing import get_context
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
from simulator.generator import CHUNK, Blend, chunk_rows
from simulator.shapes import encode, filtered_row
from simulator.vocabulary import Row
from utils.seams import operation

VERSION = 1  # of everything below and of the generator: a new one leaves old caches alone
IN_MEMORY = 20_000  # games; building so few takes a second or less
_SHAPES = ("browse", "filtered", "names")


class Packed:
    """Many byte strings in one buffer: item i is `buffer[starts[i]:starts[i + 1]]`."""

    _RESIDENT = 256 * 2**20  # bytes read through the map before its pages are handed back

    def __init__(self, buffer: bytes | mmap.mmap, starts: Array) -> None:
        self._buffer = buffer
        self._starts = starts
        self._read = 0

    def __len__(self) -> int:
        return len(self._starts) - 1

    def get(self, positions: Array) -> list[bytes]:
        """Return the items at `positions`."""
        starts, ends = self._starts[positions].tolist(), self._starts[positions + 1].tolist()
        items = [self._buffer[a:b] for a, b in zip(starts, ends, strict=True)]
        if isinstance(self._buffer, mmap.mmap):
            self._give_back(sum(ends) - sum(starts))
        return items

    def find(self, text: bytes) -> Array:
        """Return the positions of items that contain `text`."""
        hits = [match.start() for match in re.finditer(re.escape(text), self._buffer)]
        return np.unique(np.searchsorted(self._starts, hits, side="right") - 1)

    def _give_back(self, size: int) -> None:
        """Keep resident memory small: dropped pages stay in the system's file cache."""
        self._read += size
        if self._read > self._RESIDENT and isinstance(self._buffer, mmap.mmap):
            self._buffer.madvise(mmap.MADV_DONTNEED)
            self._read = 0

    def close(self) -> None:
        """Unmap the file, when there is one."""
        if isinstance(self._buffer, mmap.mmap):
            self._buffer.close()


@dataclass(frozen=True)
class Store:
    """An unchangeable catalogue: one entry per game in every array, in order of id."""

    columns: Columns
    facets: dict[str, Facet]
    name_order: Array  # positions sorted by name
    browse: Packed
    filtered: Packed
    names: Packed

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


def memory_store(rows: Sequence[Row]) -> Store:
    """Return a store of these browse rows, held in memory."""
    part = part_of(rows)
    packed = {n: Packed(buffer, _starts([lengths])) for n, (buffer, lengths) in part.packed.items()}
    return Store(part.columns, part.facets, _name_order(packed["names"]), **packed)


def generated_store(blend: Blend) -> Store:
    """Return the store of a generated catalogue; a large one is built once and kept on disk."""
    if blend.games <= IN_MEMORY:
        return memory_store([row for first in _firsts(blend) for row in chunk_rows(blend, first)])
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
    return range(0, blend.games, CHUNK)


def _part(blend: Blend, first: int) -> Part:
    return part_of(chunk_rows(blend, first))


def _parts(blend: Blend) -> Iterator[Part]:
    workers = min(os.cpu_count() or 1, 8)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(partial(_part, blend), _firsts(blend))


def _build(blend: Blend, folder: Path) -> None:
    """Write beside the final place, then rename: a folder that exists is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
    try:
        _write(building, _parts(blend))
        with operation("file.write"):
            building.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster, which is as good
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


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
    arrays = {f"column_{f.name}": getattr(columns, f.name) for f in fields(Columns)}
    arrays |= {f"{name}_starts": facet.starts for name, facet in facets.items()}
    arrays |= {f"{name}_ids": facet.ids for name, facet in facets.items()}
    arrays |= {f"at_{shape}": _starts(sizes) for shape, sizes in lengths.items()}
    names = Packed((folder / "names").read_bytes(), arrays["at_names"])
    np.savez(folder / "arrays.npz", name_order=_name_order(names), **arrays)


def _open(folder: Path) -> Store:
    with np.load(folder / "arrays.npz") as arrays:
        columns = Columns(*(arrays[f"column_{f.name}"] for f in fields(Columns)))
        facets = {n: Facet(arrays[f"{n}_starts"], arrays[f"{n}_ids"]) for n in FACETS}
        packed = {shape: Packed(_map(folder / shape), arrays[f"at_{shape}"]) for shape in _SHAPES}
        return Store(columns, facets, arrays["name_order"], **packed)


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _starts(lengths: Sequence[Array]) -> Array:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])


def _name_order(names: Packed) -> Array:
    found = names.get(np.arange(len(names)))
    return np.array(sorted(range(len(found)), key=found.__getitem__), dtype=np.int64)
