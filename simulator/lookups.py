"""`/genres`, `/stores`, `/platforms`, `/platforms/lists/parents` and `/tags`."""

import json
from typing import Any

from simulator.catalogue import Catalogue
from simulator.query import Slugs, link, number
from simulator.selector import Selection, Selector
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

    def __init__(
        self, catalogue: Catalogue, selector: Selector, recorded: dict[str, list[Row]]
    ) -> None:
        self._catalogue = catalogue
        self._selector = selector
        self._rows = {"parent-platforms": [_parent(row) for row in PARENTS]} | recorded
        for name, vocabulary in _VOCABULARY.items():
            # A recording holds first pages only: the platform Web is on the second.
            known = self._rows.get(name, [])
            missing = {row["id"]: row for row in vocabulary} if name != "tags" or not known else {}
            for row in known:
                missing.pop(row["id"], None)
            counts = catalogue.store.facets[name].counts()
            derived = [row | {"games_count": counts.get(row["id"], 0)} for row in missing.values()]
            self._rows[name] = [*known, *derived]

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
        size = min(number(params.get("page_size", "")) or default, default)
        page = number(params.get("page", "1")) or 0
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
        top = self._selector.select(Selection(facets=((name, (row["id"],)),)))[:6]
        games = [self._catalogue.row(position) for position in top.tolist()]
        brief = [{k: game[k] for k in ("id", "slug", "name", "added")} for game in games]
        return {**row, "games": brief}


def _parent(row: Row) -> Row:
    platforms = [PLATFORM[ident] for ident in row["members"]]
    return {"id": row["id"], "name": row["name"], "slug": row["slug"], "platforms": platforms}
