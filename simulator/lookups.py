"""`/genres`, `/stores`, `/platforms`, `/platforms/lists/parents` and `/tags`."""

import json
from typing import Any

import msgspec

from simulator.catalogue import Catalogue, Selection
from simulator.query import Slugs, link
from simulator.vocabulary import GENRES, PARENTS, PLATFORM, PLATFORMS, STORES, TAGS, Row

# path -> (name, rows on a page); genres and stores come whole, platforms on two pages
PATHS = {
    "/api/genres": ("genres", 40),
    "/api/stores": ("stores", 40),
    "/api/platforms": ("platforms", 50),
    "/api/platforms/lists/parents": ("parent-platforms", 40),
    "/api/tags": ("tags", 10),
}
_VOCABULARY = {"genres": GENRES, "stores": STORES, "platforms": PLATFORMS, "tags": TAGS}


class Lookups:
    """The recorded look-ups where there are some, else the vocabulary with counts and games."""

    def __init__(self, catalogue: Catalogue, recorded: dict[str, list[Row]]) -> None:
        self._catalogue = catalogue
        self._rows = recorded | {}
        if recorded:
            self._complete()
        for name, rows in _VOCABULARY.items():
            if name not in self._rows:
                counts = catalogue.facet_counts(name)
                self._rows[name] = [
                    {**row, "games_count": counts.get(row["id"], 0)} for row in rows
                ]
        self._rows.setdefault("parent-platforms", [_parent(row) for row in PARENTS])

    def _complete(self) -> None:
        """Add what a recording's first pages leave out and its games use (platform Web)."""
        for name in ("genres", "stores", "platforms"):
            known = {row["id"] for row in self._rows.get(name, ())}
            used = self._catalogue.facet_counts(name).keys() - known
            extra = [row for row in _VOCABULARY[name] if row["id"] in used]
            if name in self._rows:
                self._rows[name] = [*self._rows[name], *extra]

    def slugs(self) -> Slugs:
        """Return slug -> id for every facet a listing can be filtered by."""
        names = {n: n for n in _VOCABULARY} | {"parent_platforms": "parent-platforms"}
        return {
            facet: {row["slug"]: row["id"] for row in self._rows[name]}
            for facet, name in names.items()
        }

    def page(self, path: str, params: dict[str, str], base: str) -> bytes | None:
        """Return a page's body, or None past the end."""
        name, default = PATHS[path]
        wanted, given = params.get("page", "1"), params.get("page_size", "")
        size = min(int(given), default) if given.isdigit() and int(given) else default
        page = int(wanted) if wanted.isdigit() else 0
        rows = self._rows[name]
        chosen = rows[(page - 1) * size : page * size] if page else []
        if page != 1 and not chosen:
            return None
        pairs = tuple(params.items())
        body: dict[str, Any] = {
            "count": len(rows),
            "next": link(base, pairs, page + 1) if page * size < len(rows) else None,
            "previous": link(base, pairs, page - 1) if page > 1 else None,
            "results": [self._with_games(name, row) for row in chosen],
        }
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()

    def _with_games(self, name: str, row: Row) -> Row:
        """Show the six most added games, as RAWG does."""
        if "games" in row or name == "parent-platforms":
            return row
        top = self._catalogue.select(Selection(facets=((name, (row["id"],)),)))[:6]
        games = [msgspec.json.decode(raw) for raw in self._catalogue.rows("browse", top)]
        brief = [{k: game[k] for k in ("id", "slug", "name", "added")} for game in games]
        return {**row, "games": brief}


def _parent(row: Row) -> Row:
    platforms = [PLATFORM[ident] for ident in row["members"]]
    return {"id": row["id"], "name": row["name"], "slug": row["slug"], "platforms": platforms}
