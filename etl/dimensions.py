"""The dimensions. Pure Ibis.

A dimension holds every member ever observed, with its last known name, whether a look-up or a
game said it. An observation has `version` (0 for what is already published), `id`, `name`,
`slug` and the dimension's own attributes. Key 0 is Unknown.
"""

from collections.abc import Sequence

import ibis
from ibis.expr.types import Table

from etl.expressions import (
    UNKNOWN_KEY,
    UNKNOWN_NAME,
    latest_values,
    shape,
    surrogate_key,
    unknown_row,
    unnest_list,
)
from etl.iceberg_schemas import (
    DIM_ESRB_RATING,
    DIM_GENRE,
    DIM_PLATFORM,
    DIM_STORE,
    DIM_TAG,
    StarTable,
)

NAMES = ("name", "slug")


def dim_platform(observations: Table, parent_platforms: Table) -> Table:
    """Return the platforms; `platform_family` is the name of the parent that lists one now.

    `parent_platforms` is every row of that look-up, with `version`.
    """
    members = _members(observations, NAMES)
    families = _families(parent_platforms)
    joined = members.left_join(families, members["id"] == families["listed_id"])
    return _dimension(joined, DIM_PLATFORM)


def dim_store(observations: Table) -> Table:
    """Return the stores; `store_domain` is the last known one (filtered rows carry none)."""
    members = _members(observations, (*NAMES, "domain"))
    return _dimension(members.mutate(store_domain=members["domain"]), DIM_STORE)


def dim_genre(observations: Table) -> Table:
    """Return the genres."""
    return _dimension(_members(observations, NAMES), DIM_GENRE)


def dim_tag(observations: Table) -> Table:
    """Return the tags, Russian twins included and marked by `language_code`."""
    members = _members(observations, (*NAMES, "language"))
    return _dimension(members.mutate(language_code=members["language"]), DIM_TAG)


def dim_esrb_rating(observations: Table) -> Table:
    """Return the age ratings."""
    return _dimension(_members(observations, NAMES), DIM_ESRB_RATING)


def platforms_observed(games: Table) -> Table:
    """Return what the games' `platforms` say about platforms."""
    entries = unnest_list(games, "platforms", "version")
    return _observed(entries.select("version", item=entries["item"]["platform"]), NAMES)


def stores_observed(games: Table) -> Table:
    """Return what the games' `stores` say about stores."""
    entries = unnest_list(games, "stores", "version")
    return _observed(entries.select("version", item=entries["item"]["store"]), (*NAMES, "domain"))


def genres_observed(games: Table) -> Table:
    """Return what the games' `genres` say about genres."""
    return _observed(unnest_list(games, "genres", "version"), NAMES)


def tags_observed(games: Table) -> Table:
    """Return what the games' `tags` say about tags."""
    return _observed(unnest_list(games, "tags", "version"), (*NAMES, "language"))


def esrb_ratings_observed(games: Table) -> Table:
    """Return what the games say about age ratings."""
    return _observed(games.select("version", item=games["esrb_rating"]), NAMES)


def lookup_observed(lookup: Table, *attributes: str) -> Table:
    """Return what a look-up (raw rows with `version`) says about its members."""
    return lookup.select("id", *NAMES, *attributes, "version")


def published_observed(published: Table, declared: StarTable) -> Table:
    """Return a published dimension as the oldest observation of each member."""
    stem = declared.name.removeprefix("dim_")
    names = {f"{stem}_id": "id", f"{stem}_name": "name", f"{stem}_slug": "slug"}
    names |= {"store_domain": "domain", "language_code": "language"}
    rows = published.filter(published[declared.key[0]] != UNKNOWN_KEY)
    known = {names[c.name]: rows[c.name] for c in declared.columns if c.name in names}
    return rows.select(**known, version=ibis.literal(0, "int64"))


def _observed(entries: Table, attributes: Sequence[str]) -> Table:
    """Return each wording of each member once, with the last version that used it."""
    fields = {name: entries["item"][name] for name in ("id", *attributes)}
    wordings = entries.select("version", **fields)
    wordings = wordings.filter(wordings["id"].notnull())
    return wordings.group_by("id", *attributes).agg(version=wordings["version"].max())


def _members(observations: Table, attributes: Sequence[str]) -> Table:
    return latest_values(observations, "id", attributes)


def _families(parents: Table) -> Table:
    """Return `listed_id`, `platform_family`, from the last row of each parent.

    Where two parents claim a platform, the one observed later wins.
    """
    last = parents.group_by("id").agg(version=parents["version"].max())
    rows = parents.semi_join(last, ["id", "version"])
    entries = unnest_list(rows, "platforms", "version", "name")
    claims = entries.select("version", "name", listed_id=entries["item"]["id"])
    families = latest_values(claims, "listed_id", ("name",))
    return families.rename(platform_family="name")


def _dimension(members: Table, declared: StarTable) -> Table:
    """Key the members, name their columns as declared, and add the Unknown row."""
    stem = declared.name.removeprefix("dim_")
    rows = members.rename({f"{stem}_id": "id", f"{stem}_name": "name", f"{stem}_slug": "slug"})
    rows = rows.mutate(**{f"{stem}_key": surrogate_key(rows[f"{stem}_id"])})
    return ibis.union(shape(rows, declared), _unknown(declared))


def _unknown(declared: StarTable) -> Table:
    stem = declared.name.removeprefix("dim_")
    known: dict[str, int | str] = {
        f"{stem}_key": UNKNOWN_KEY,
        f"{stem}_name": UNKNOWN_NAME,
        f"{stem}_slug": UNKNOWN_NAME.lower(),
    }
    return unknown_row(declared, known)
