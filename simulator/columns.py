"""What the server sorts and filters by, one numpy array per field, one entry per game."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.vocabulary import Row

Array = npt.NDArray[Any]

NO_DATE = -(2**31)  # sorts below every date: `ordering=released` shows undated games first
NO_SCORE = -1
FACETS = ("platforms", "parent_platforms", "stores", "genres", "tags")


@dataclass
class Facet:
    """Ids per game in compressed form: game i has `ids[starts[i]:starts[i + 1]]`."""

    starts: Array
    ids: Array

    def games_with(self, wanted: Iterable[int]) -> Array:
        """Return the positions of games that carry any of the `wanted` ids."""
        hits = np.flatnonzero(np.isin(self.ids, list(wanted)))
        return np.unique(np.searchsorted(self.starts, hits, side="right") - 1)

    def counts(self) -> dict[int, int]:
        """Return how many games carry each id."""
        ids, counts = np.unique(self.ids, return_counts=True)
        return dict(zip(ids.tolist(), counts.tolist(), strict=True))


@dataclass
class Columns:
    """`released` is days since 1970 or NO_DATE, `updated` seconds since 1970 (UTC)."""

    id: Array
    added: Array
    released: Array
    updated: Array
    rating: Array
    metacritic: Array

    @classmethod
    def names(cls) -> list[str]:
        """Return the fields' names; all but `id` are orderings too."""
        return [field.name for field in fields(cls)]

    def copy(self) -> "Columns":
        """Return columns that may be changed without changing these."""
        return Columns(*(getattr(self, name).copy() for name in self.names()))

    def put(self, position: int, one: "Columns") -> list[str]:
        """Store the single game of `one` at `position`; returns the fields that differed."""
        changed = []
        for name in self.names():
            values, value = getattr(self, name), getattr(one, name)[0]
            if values[position] != value:
                values[position] = value
                changed.append(name)
        return changed


def names_of(rows: Sequence[Row]) -> list[str]:
    """Return the names as `search` and `ordering=name` compare them, each ended by a newline."""
    return [str(row["name"]).casefold().replace("\n", " ") + "\n" for row in rows]


def columns_of(rows: Sequence[Row]) -> Columns:
    """Read the sortable fields of browse rows."""
    released = np.array([row["released"] or "NaT" for row in rows], dtype="datetime64[D]")
    days = released.astype(np.int64)
    updated = np.array([row["updated"] or "1970-01-01" for row in rows], dtype="datetime64[s]")
    scores = [NO_SCORE if row["metacritic"] is None else row["metacritic"] for row in rows]
    return Columns(
        id=np.array([row["id"] for row in rows], dtype=np.int64),
        added=np.array([row["added"] for row in rows], dtype=np.int32),
        released=np.where(np.isnat(released), NO_DATE, days).astype(np.int32),
        updated=updated.astype(np.int64),
        rating=np.array([row["rating"] for row in rows], dtype=np.float32),
        metacritic=np.array(scores, dtype=np.int16),
    )


def facet_ids(row: Row, facet: str) -> list[int]:
    """Return the ids a browse row carries for `facet`."""
    nested = {"platforms": "platform", "parent_platforms": "platform", "stores": "store"}.get(facet)
    items = row[facet] or ()
    return [item[nested]["id"] if nested else item["id"] for item in items]


def facets_of(rows: Sequence[Row]) -> dict[str, Facet]:
    """Read every facet of browse rows."""
    found = {}
    for facet in FACETS:
        lists = [facet_ids(row, facet) for row in rows]
        lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
        starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        flat = [ident for ids in lists for ident in ids]
        found[facet] = Facet(starts, np.array(flat, dtype=np.int32))
    return found


def join_columns(parts: Sequence[Columns]) -> Columns:
    """Concatenate the columns of successive chunks."""
    return Columns(*(np.concatenate([getattr(p, name) for p in parts]) for name in Columns.names()))


def join_facets(parts: Sequence[dict[str, Facet]]) -> dict[str, Facet]:
    """Concatenate the facets of successive chunks."""
    return {name: _join_facet([part[name] for part in parts]) for name in FACETS}


def _join_facet(parts: Sequence[Facet]) -> Facet:
    starts, base = [np.zeros(1, dtype=np.int64)], 0
    for part in parts:
        starts.append(part.starts[1:] + base)
        base += int(part.starts[-1])
    return Facet(np.concatenate(starts), np.concatenate([part.ids for part in parts]))
