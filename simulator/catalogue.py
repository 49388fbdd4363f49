"""The games as they are now: an unchangeable store and, over it, what changed since the start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import msgspec
import numpy as np

from simulator.columns import Array, Columns, columns_of, facet_ids, join_columns, names_of
from simulator.shapes import Shape, encode, filtered_row
from simulator.store import Packed, Store
from simulator.vocabulary import Row

_SELECTIONS = 512  # result lists kept: more than the windows a crawl has open at once
Range = tuple[int, int]


@dataclass(frozen=True)
class Selection:
    """Which games, in which order. Ranges are inclusive: days for `dates`, seconds for `updated`.

    `facets` are (facet, ids) pairs, ids OR-ed, pairs AND-ed. `search` is casefolded.
    """

    ordering: str = ""
    dates: tuple[Range, ...] = ()
    updated: tuple[Range, ...] = ()
    metacritic: Range | None = None
    search: str = ""
    exact: bool = False
    facets: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Catalogue:
    """Every method is called from the server's one thread; `revision` grows with each change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._base = len(store.columns.id)
        self.columns = store.columns.copy()
        self._alive = np.ones(self._base, dtype=bool)
        self._changed: dict[int, dict[Shape, bytes]] = {}
        self._names: dict[int, bytes] = {}
        self._facets: dict[int, dict[str, list[int]]] = {}
        self._orders: dict[str, Array] = {}
        self._selected: dict[Selection, Array] = {}
        self.revision = 0

    def __len__(self) -> int:
        return int(self._alive.sum())

    def close(self) -> None:
        """Release the store's files."""
        self._store.close()

    # reading

    def position(self, ident: int) -> int | None:
        """Return where game `ident` is, or None when it is not (or no longer) there."""
        base = int(np.searchsorted(self._store.columns.id, ident))
        tail = self.columns.id[self._base :]
        if base < self._base and self.columns.id[base] == ident:
            found = base
        else:
            hits = np.flatnonzero(tail == ident)
            if not len(hits):
                return None
            found = self._base + int(hits[0])
        return found if self._alive[found] else None

    def rows(self, shape: Shape, positions: Array) -> list[bytes]:
        """Return the encoded rows at `positions`."""
        items = self._from_store(getattr(self._store, shape), positions)
        if self._changed:
            for at, position in enumerate(positions.tolist()):
                if (changed := self._changed.get(position)) is not None:
                    items[at] = changed[shape]
        return items

    def row(self, position: int) -> Row:
        """Return the browse row at `position` as an object; raises ValueError if made invalid."""
        row: Row = msgspec.json.decode(self.rows("browse", np.array([position]))[0])
        return row

    def ids(self, positions: Array) -> list[int]:
        """Return the ids of the games at `positions`."""
        ids: list[int] = self.columns.id[positions].tolist()
        return ids

    def _from_store(self, packed: Packed, positions: Array) -> list[bytes]:
        if len(self.columns.id) == self._base:
            return packed.get(positions)
        stored = positions[positions < self._base]
        found = iter(packed.get(stored))
        return [next(found) if p < self._base else b"" for p in positions.tolist()]

    # changing

    def put(self, row: Row) -> int:
        """Add a game, or replace the one with this id; returns its position."""
        position = self.position(row["id"])
        one = columns_of([row])
        if position is None:
            position = self._append(one)
        else:
            for field in self.columns.put(position, one):
                self._orders.pop("created" if field == "id" else field, None)
        self._changed[position] = {"browse": encode(row), "filtered": encode(filtered_row(row))}
        self._facets[position] = {name: facet_ids(row, name) for name in self._store.facets}
        name = names_of([row])[0].encode(errors="surrogatepass")
        if name != self._name(position):
            self._names[position] = name
            self._orders.pop("name", None)
        self._touch()
        return position

    def put_raw(self, position: int, body: Mapping[Shape, bytes]) -> None:
        """Serve exactly these bytes as the game's row; its place in every order stays."""
        self._changed[position] = {**body}
        self._touch()

    def remove(self, positions: Iterable[int]) -> None:
        """Let games vanish from every listing."""
        self._alive[list(positions)] = False
        self._touch()

    def _append(self, one: Columns) -> int:
        self.columns = join_columns([self.columns, one])
        self._alive = np.append(self._alive, True)
        self._orders.clear()
        return len(self._alive) - 1

    def _touch(self) -> None:
        self._selected.clear()
        self.revision += 1

    def _name(self, position: int) -> bytes:
        if position in self._names:
            return self._names[position]
        return self._store.names.get(np.array([position]))[0] if position < self._base else b""

    # selecting

    def select(self, selection: Selection) -> Array:
        """Return the positions of the games of `selection`, in its order."""
        found = self._selected.get(selection)
        if found is None:
            if len(self._selected) >= _SELECTIONS:
                self._selected.pop(next(iter(self._selected)))
            found = self._selected[selection] = self._select(selection)
        return found

    def _select(self, selection: Selection) -> Array:
        order = self._order(selection.ordering or "-added")
        found = order[self._mask(selection)[order]]
        if selection.search and not selection.ordering:  # by relevance: the very name comes first
            exact = np.isin(found, self._called(selection.search))
            found = np.concatenate([found[exact], found[~exact]])
        return found

    def alive(self) -> Array:
        """Return the positions of all games, in order of arrival."""
        return np.flatnonzero(self._alive)

    def _order(self, ordering: str) -> Array:
        field = ordering.removeprefix("-")
        order = self._orders.get(field)
        if order is None:
            # Rows with equal keys lie in no visible order (contracts/rawg.md 1.3), but a stable one.
            tie = self.columns.id * 2_654_435_761 & 0xFFFF_FFFF
            order = self._orders[field] = np.lexsort((tie, self._key(field)))
        return order[::-1] if ordering.startswith("-") else order

    def _key(self, field: str) -> Array:
        if field == "name":
            return self._name_rank()
        key: Array = self.columns.id if field == "created" else getattr(self.columns, field)
        return key

    def _name_rank(self) -> Array:
        order = self._store.name_order
        if self._names:
            every = [self._name(position) for position in range(len(self._alive))]
            order = np.array(sorted(range(len(every)), key=every.__getitem__), dtype=np.int64)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return rank

    def _mask(self, selection: Selection) -> Array:
        mask = self._alive.copy()
        for column, ranges in (
            (self.columns.released, selection.dates),
            (self.columns.updated, selection.updated),
            (self.columns.metacritic, (selection.metacritic,) if selection.metacritic else ()),
        ):
            if ranges:
                mask &= _within(column, ranges)
        for facet, wanted in selection.facets:
            mask &= self._having(facet, wanted)
        if selection.search:
            mask &= self._named(selection)
        return mask

    def _having(self, facet: str, wanted: tuple[int, ...]) -> Array:
        mask = np.zeros(len(self._alive), dtype=bool)
        mask[self._store.facets[facet].games_with(wanted)] = True
        for position, facets in self._facets.items():
            mask[position] = not set(wanted).isdisjoint(facets[facet])
        return mask

    def _named(self, selection: Selection) -> Array:
        mask = np.ones(len(self._alive), dtype=bool)
        if selection.exact:
            called = np.zeros(len(mask), dtype=bool)
            called[self._called(selection.search)] = True
            return called
        for word in selection.search.encode(errors="surrogatepass").split():
            found = np.zeros(len(mask), dtype=bool)
            found[self._store.names.find(word)] = True
            for position, name in self._names.items():
                found[position] = word in name
            mask &= found
        return mask

    def _called(self, name: str) -> list[int]:
        """Return the positions of games with exactly this casefolded name."""
        whole = name.encode(errors="surrogatepass") + b"\n"
        near = self._store.names.find(whole).tolist() + list(self._names)
        return [position for position in near if self._name(position) == whole]

    def year_counts(self) -> dict[int, int]:
        """Return how many games each release year has, newest first."""
        dated = self.columns.released[self._alive & (self.columns.released > -(2**31))]
        years = dated.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        found, counts = np.unique(years, return_counts=True)
        return dict(zip(found.tolist()[::-1], counts.tolist()[::-1], strict=True))

    def facet_counts(self, facet: str) -> dict[int, int]:
        """Return how many games carried each id of `facet` at the start."""
        return self._store.facets[facet].counts()

    def newest_update(self) -> int:
        """Return the greatest `updated` of all games, in seconds since 1970 (0 when empty)."""
        return int(self.columns.updated[self._alive].max(initial=0))


def _within(column: Array, ranges: Iterable[Range | None]) -> Any:
    masks = [(column >= low) & (column <= high) for low, high in filter(None, ranges)]
    return np.logical_or.reduce(masks)


ORDERINGS = frozenset({"name", "created"} | {f.name for f in fields(Columns)} - {"id"})
