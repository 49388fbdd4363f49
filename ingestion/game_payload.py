"""The declared fields of a game as RAWG sends them: the typed twin of `storage.raw_schema`.

Decoding is strict (4.0 or true is no integer) and refuses undeclared fields, so a row that decodes
is complete: nothing of it is dropped. Null is refused only where a NULL would be a false statement
in the star: ids, names, `updated`, `tba`, ratings and counts. A key that is absent stays absent,
because the two listings differ in what they carry.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

# The star's keys are source ordinal x 10^10 + id: a larger id would run into the next source.
NaturalId = Annotated[int, Meta(ge=1, lt=10**10)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Int64 | UnsetType
Number = float | UnsetType


class Declared(Struct, omit_defaults=True, forbid_unknown_fields=True, kw_only=True, gc=False):
    """Base of all payload types: absent keys stay absent when it is written out again."""


class Named(Declared):
    """A parent platform, and what every other named thing starts with."""

    id: NaturalId
    name: str
    slug: str


class Drifting(Named):
    """A genre: its last two fields belong to the moment, not to the game."""

    games_count: Int64 | None = None
    image_background: str | None = None


class Rating(Declared):
    """Votes of one kind; `percent` may come as an integer."""

    id: Int64
    title: str | None = None
    count: Count = UNSET
    percent: Number = UNSET


class Status(Declared):
    """Shelves of the users; RAWG leaves a key out when its count is 0."""

    yet: Int64 | None = None
    owned: Int64 | None = None
    beaten: Int64 | None = None
    toplay: Int64 | None = None
    dropped: Int64 | None = None
    playing: Int64 | None = None


class Platform(Named):
    """A platform; all but id, name and slug come with the browse listing only."""

    image: str | None = None
    year_end: Int64 | None = None
    year_start: Int64 | None = None
    games_count: Int64 | None = None
    image_background: str | None = None


class Requirements(Declared):
    """Hardware requirements: text or HTML."""

    minimum: str | None = None
    recommended: str | None = None


class GamePlatform(Declared):
    """A game on a platform."""

    platform: Platform
    released_at: str | None = None
    requirements_en: Requirements | None = None
    requirements_ru: Requirements | None = None


class GameParentPlatform(Declared):
    """A game on a family of platforms."""

    platform: Named


class Store(Drifting):
    """A store; `domain` comes with the browse listing only."""

    domain: str | None = None


class GameStore(Declared):
    """A game in a store; `id` comes with the browse listing only."""

    store: Store
    id: Int64 | None = None


class Tag(Drifting):
    """A tag; Russian ones come with the filtered listing only."""

    language: str | None = None


class EsrbRating(Named):
    """An age rating; the two translations come with the filtered listing only."""

    name_en: str | None = None
    name_ru: str | None = None


class Screenshot(Declared):
    """A picture; the cover carries the id -1."""

    id: Int64
    image: str | None = None


class GamePayload(Declared):
    """A game of either listing."""

    id: NaturalId
    slug: str
    name: str
    updated: str
    released: str | None = None
    tba: bool | UnsetType = UNSET
    background_image: str | None = None
    rating: Number = UNSET
    rating_top: Count = UNSET
    ratings: list[Rating] | None = None
    ratings_count: Count = UNSET
    reviews_text_count: Count = UNSET
    added: Count = UNSET
    added_by_status: Status | None = None
    metacritic: Int64 | None = None
    playtime: Count = UNSET
    suggestions_count: Count = UNSET
    reviews_count: Count = UNSET
    community_rating: float | None = None
    saturated_color: str | None = None
    dominant_color: str | None = None
    platforms: list[GamePlatform] | None = None
    parent_platforms: list[GameParentPlatform] | None = None
    genres: list[Drifting] | None = None
    stores: list[GameStore] | None = None
    tags: list[Tag] | None = None
    esrb_rating: EsrbRating | None = None
    short_screenshots: list[Screenshot] | None = None
