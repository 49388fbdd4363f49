"""The games as they are now: an unchangeable store and, over it, what changed since the start."""

from collections import Counter
from collections.abc import Iterable

import msgspec
import numpy as np

from simulator.columns import NO_DATE, Array, columns_of, facet_ids, join_columns, names_of
from simulator.shapes import Shape, encode, filtered_row
from simulator.store import Packed, Store
from simulator.vocabulary import Row


class Catalogue:
    """Every method is called from the server's one thread.

    A game keeps its position for ever, also when it is removed. `revision` grows with each change,
    `field_revision` with each change that may move a game in the order of that column.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.columns = store.columns.copy()
        self.alive = np.ones(len(store), dtype=bool)
        self.names: dict[int, bytes] = {}  # position -> name, of renamed and added games
        self.facets: dict[int, dict[str, list[int]]] = {}  # of changed and added games
        self.revision = 0
        self.field_revision: Counter[str] = Counter()
        self._changed: dict[int, dict[Shape, bytes]] = {}
        self._raw: dict[int, bytes] = {}

    def __len__(self) -> int:
        return int(self.alive.sum())

    def close(self) -> None:
        """Release the store's files."""
        self.store.close()

    def positions(self) -> Array:
        """Return the positions of all games, in order of arrival."""
        return np.flatnonzero(self.alive)

    def position(self, ident: int) -> int | None:
        """Return where game `ident` is, or None when it is not (or no longer) there."""
        stored, added = len(self.store), self.columns.id[len(self.store) :]
        found = int(np.searchsorted(self.store.columns.id, ident))
        if found == stored or self.columns.id[found] != ident:
            hits = np.flatnonzero(added == ident)
            if not len(hits):
                return None
            found = stored + int(hits[0])
        return found if self.alive[found] else None

    def rows(self, shape: Shape, positions: Array) -> list[bytes]:
        """Return the rows at `positions` as they are served."""
        items = self._rows(shape, positions)
        if self._raw:
            for at, position in enumerate(positions.tolist()):
                items[at] = self._raw.get(position, items[at])
        return items

    def row(self, position: int) -> Row:
        """Return the game at `position` as a browse row, whatever bytes are served in its place."""
        row: Row = msgspec.json.decode(self._rows("browse", np.array([position]))[0])
        return row

    def name(self, position: int) -> bytes:
        """Return the name that `search` compares, ended by a newline."""
        if position in self.names:
            return self.names[position]
        return self.store.names.get(np.array([position]))[0]

    def _rows(self, shape: Shape, positions: Array) -> list[bytes]:
        packed: Packed = getattr(self.store, shape)
        if not self._changed:
            return packed.get(positions)
        stored = iter(packed.get(positions[positions < len(self.store)]))
        items = [next(stored) if p < len(self.store) else b"" for p in positions.tolist()]
        for at, position in enumerate(positions.tolist()):
            if (changed := self._changed.get(position)) is not None:
                items[at] = changed[shape]
        return items

    def put(self, row: Row) -> int:
        """Add a game, or replace the one with this id; returns its position."""
        one, position = columns_of([row]), self.position(row["id"])
        if position is None:
            position = len(self.alive)
            self.columns = join_columns([self.columns, one])
            self.alive = np.append(self.alive, True)
            self.names[position] = b""
            moved = ["id", *self.columns.names()]
        else:
            moved = self.columns.put(position, one)
        name = names_of([row])[0].encode(errors="surrogatepass")
        if name != self.name(position):
            self.names[position] = name
            moved.append("name")
        self.field_revision.update(moved)
        self._changed[position] = {"browse": encode(row), "filtered": encode(filtered_row(row))}
        self.facets[position] = {name: facet_ids(row, name) for name in self.store.facets}
        self._raw.pop(position, None)
        self.revision += 1
        return position

    def put_raw(self, position: int, body: bytes) -> None:
        """Serve exactly these bytes as the game's row in every listing; its places stay."""
        self._raw[position] = body
        self.revision += 1

    def remove(self, positions: Iterable[int]) -> None:
        """Let games vanish from every listing."""
        self.alive[list(positions)] = False
        self.revision += 1

    def year_counts(self) -> dict[int, int]:
        """Return how many games each release year has, newest first."""
        dated = self.columns.released[self.alive & (self.columns.released > NO_DATE)]
        years = dated.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        found, counts = np.unique(years, return_counts=True)
        return dict(zip(found.tolist()[::-1], counts.tolist()[::-1], strict=True))

    def newest_update(self) -> int:
        """Return the greatest `updated` of all games, in seconds since 1970 (0 when empty)."""
        return int(self.columns.updated[self.alive].max(initial=0))
