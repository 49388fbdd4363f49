"""The fields that decide whether a game has changed: this file is the one place that lists them.

Hashed is what both listings carry and what belongs to the game. Left out on purpose:

* what one listing lacks: requirements, `released_at` and all of a platform but id, name and slug;
  `domain` and the link id of a store; `name_en` and `name_ru` of an age rating; Russian tags
* what drifts without the game: `games_count` and `image_background` of nested things
* what is empty or constant: `user_game`, `clip`, `score`, `community_rating`

Equal are: 0 and 0.0, a null list and an empty one, a count of a shelf that is 0 and one that is
absent, and lists in any order.
"""

import hashlib
from collections.abc import Callable
from typing import TypeVar

import msgspec
from msgspec import Struct

_RUSSIAN = "rus"
_T = TypeVar("_T")


class _Named(Struct, gc=False):
    id: int
    name: str
    slug: str


class _OnPlatform(Struct, gc=False):
    platform: _Named


class _InStore(Struct, gc=False):
    store: _Named


class _Tag(_Named):
    language: str | None = None


class _Rating(Struct, gc=False):
    id: int
    title: str | None = None
    count: int | None = None
    percent: float | None = None


class _Status(Struct, gc=False):
    yet: int = 0
    owned: int = 0
    beaten: int = 0
    toplay: int = 0
    dropped: int = 0
    playing: int = 0


class _Screenshot(Struct, gc=False):
    id: int
    image: str | None = None


class HashedGame(Struct, gc=False):
    """The hashed fields of a game, in the order in which they are hashed."""

    id: int
    slug: str
    name: str
    updated: str
    released: str | None = None
    tba: bool | None = None
    background_image: str | None = None
    rating: float | None = None
    rating_top: int | None = None
    ratings_count: int | None = None
    reviews_text_count: int | None = None
    reviews_count: int | None = None
    suggestions_count: int | None = None
    added: int | None = None
    added_by_status: _Status | None = None
    metacritic: int | None = None
    playtime: int | None = None
    saturated_color: str | None = None
    dominant_color: str | None = None
    esrb_rating: _Named | None = None
    ratings: list[_Rating] | None = None
    platforms: list[_OnPlatform] | None = None
    parent_platforms: list[_OnPlatform] | None = None
    genres: list[_Named] | None = None
    stores: list[_InStore] | None = None
    tags: list[_Tag] | None = None
    short_screenshots: list[_Screenshot] | None = None


_GAMES = msgspec.json.Decoder(list[HashedGame])
_encode: Callable[[object], bytes] = msgspec.json.Encoder().encode


def payload_hashes(games: bytes) -> list[str]:
    """Return the hash (128 bits, hex) of each game in a JSON array of valid games.

    A game is valid when it decodes as `ingestion.game_payload.GamePayload`; else ValueError.
    """
    return [digest(_canonical(game)) for game in _GAMES.decode(games)]


def digest(value: object) -> str:
    """Hash any JSON-able value whose form is already canonical; 32 hex characters."""
    return hashlib.blake2b(_encode(value), digest_size=16).hexdigest()


def _canonical(game: HashedGame) -> HashedGame:
    """Bring `game` into the one form that all equal games share; changes it in place."""
    game.added_by_status = game.added_by_status or _Status()
    game.ratings = _in_order(game.ratings)
    game.platforms = _in_order(game.platforms)
    game.parent_platforms = _in_order(game.parent_platforms)
    game.genres = _in_order(game.genres)
    game.stores = _in_order(game.stores)
    game.tags = _in_order([tag for tag in game.tags or () if tag.language != _RUSSIAN])
    game.short_screenshots = _in_order(game.short_screenshots)
    return game


def _in_order(entries: list[_T] | None) -> list[_T]:
    # By the whole text of an entry, not by its id alone: an id may repeat, and ties would keep
    # the order of arrival.
    return sorted(entries, key=_encode) if entries and len(entries) > 1 else entries or []
