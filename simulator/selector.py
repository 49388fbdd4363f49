"""Which games a listing shows, in which order."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from simulator.catalogue import Catalogue
from simulator.columns import Array, Columns

_KEPT = 512  # selections: more than the windows a crawl has open at once
_SPARSE = 8  # a selection below 1/8 of the games is sorted by rank, a larger one read in order
Range = tuple[int, int]
ORDERINGS = frozenset({"name", "created", *Columns.names()})


@dataclass(frozen=True)
class Selection:
    """Which games, in which order. Ranges are inclusive: days for `dates`, seconds for `updated`.

    `facets` are (facet, ids) pairs, ids OR-ed, pairs AND-ed. `search` is casefolded: every word is
    in the name, or with `exact` it is the name. No `ordering` is most added first.
    """

    ordering: str = ""
    dates: tuple[Range, ...] = ()
    updated: tuple[Range, ...] = ()
    metacritic: tuple[Range, ...] = ()
    search: str = ""
    exact: bool = False
    facets: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Selector:
    """Selects and sorts; what it found is kept until the catalogue changes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._kept: dict[Selection, Array] = {}
        self._kept_at = catalogue.revision
        self._orders: dict[str, tuple[int, Array, Array]] = {}

    def select(self, selection: Selection) -> Array:
        """Return the positions of the games of `selection`, in its order."""
        if self._kept_at != self._catalogue.revision or len(self._kept) >= _KEPT:
            self._kept.clear()
            self._kept_at = self._catalogue.revision
        found = self._kept.get(selection)
        if found is None:
            found = self._kept[selection] = self._select(selection)
        return found

    def _select(self, selection: Selection) -> Array:
        ordering = selection.ordering or "-added"
        order, rank = self._order(ordering.removeprefix("-"))
        mask = self._mask(selection)
        if np.count_nonzero(mask) * _SPARSE < len(mask):
            found = np.flatnonzero(mask)
            found = found[np.argsort(rank[found])]
        else:
            found = order[mask[order]]
        if ordering.startswith("-"):
            found = found[::-1]
        if selection.search and not selection.ordering:  # by relevance: the very name comes first
            exact = np.isin(found, self._called(selection.search))
            found = np.concatenate([found[exact], found[~exact]])
        return found

    def _order(self, field: str) -> tuple[Array, Array]:
        """Return all positions by ascending `field`, and the inverse: each position's rank."""
        column = "id" if field == "created" else field
        revision = self._catalogue.field_revision[column]
        kept = self._orders.get(field)
        if kept is None or kept[0] != revision:
            # Equal keys lie in no visible order (contracts/rawg.md 1.3), but always in the same.
            tie = self._catalogue.columns.id * 2_654_435_761 & 0xFFFF_FFFF
            order = np.lexsort((tie, self._key(column)))
            kept = self._orders[field] = (revision, order, _inverse(order))
        return kept[1], kept[2]

    def _key(self, column: str) -> Array:
        if column != "name":
            key: Array = getattr(self._catalogue.columns, column)
            return key
        if not self._catalogue.names:
            return _inverse(self._catalogue.store.name_order)
        every = [self._catalogue.name(position) for position in range(len(self._catalogue.alive))]
        return _inverse(np.array(sorted(range(len(every)), key=every.__getitem__), dtype=np.int64))

    def _mask(self, selection: Selection) -> Array:
        columns = self._catalogue.columns
        mask = self._catalogue.alive.copy()
        for column, ranges in (
            (columns.released, selection.dates),
            (columns.updated, selection.updated),
            (columns.metacritic, selection.metacritic),
        ):
            if ranges:
                mask &= _within(column, ranges)
        for facet, wanted in selection.facets:
            mask &= self._having(facet, wanted)
        if selection.search:
            mask &= self._named(selection)
        return mask

    def _having(self, facet: str, wanted: tuple[int, ...]) -> Array:
        mask = self._none()
        mask[self._catalogue.store.facets[facet].games_with(wanted)] = True
        for position, facets in self._catalogue.facets.items():
            mask[position] = not set(wanted).isdisjoint(facets[facet])
        return mask

    def _named(self, selection: Selection) -> Array:
        if selection.exact:
            called = self._none()
            called[self._called(selection.search)] = True
            return called
        mask = ~self._none()
        for word in selection.search.encode(errors="surrogatepass").split():
            found = self._none()
            found[self._catalogue.store.names.find(word)] = True
            for position, name in self._catalogue.names.items():
                found[position] = word in name
            mask &= found
        return mask

    def _called(self, name: str) -> list[int]:
        """Return the positions of games with exactly this casefolded name."""
        whole = name.encode(errors="surrogatepass") + b"\n"
        near = {*self._catalogue.store.names.find(whole).tolist(), *self._catalogue.names}
        return [position for position in near if self._catalogue.name(position) == whole]

    def _none(self) -> Array:
        return np.zeros(len(self._catalogue.alive), dtype=bool)


def _inverse(order: Array) -> Array:
    inverse = np.empty(len(order), dtype=np.int64)
    inverse[order] = np.arange(len(order))
    return inverse


def _within(column: Array, ranges: Iterable[Range]) -> Array:
    mask = np.zeros(len(column), dtype=bool)
    for low, high in ranges:
        mask |= (column >= low) & (column <= high)
    return mask
