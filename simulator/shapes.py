"""The shapes in which RAWG shows one game (contracts/rawg.md 1.1 and 1.5).

A game is held as its browse row. The filtered row and the detail are pure functions of it, so a
changed game changes in every listing at once.
"""

import json
from typing import Any, Literal

import msgspec

from simulator.vocabulary import ESRB_RUSSIAN, RUSSIAN_TAG, Row

Shape = Literal["browse", "filtered"]

# Key orders as recorded; keys that the browse row lacks are left out of a filtered row.
_FILTERED_KEYS = """
slug name playtime platforms stores released tba background_image rating rating_top ratings
ratings_count reviews_text_count added added_by_status metacritic suggestions_count updated id
score clip tags esrb_rating user_game reviews_count community_rating saturated_color
dominant_color short_screenshots parent_platforms genres
"""
_FILTERED_ORDER = _FILTERED_KEYS.split()
_DETAIL_KEYS = """
id slug name name_original description metacritic metacritic_platforms released tba updated
background_image background_image_additional website rating rating_top ratings reactions added
added_by_status playtime screenshots_count movies_count creators_count achievements_count
parent_achievements_count reddit_url reddit_name reddit_description reddit_logo reddit_count
twitch_count youtube_count reviews_text_count ratings_count suggestions_count alternative_names
metacritic_url parents_count additions_count game_series_count user_game reviews_count
saturated_color dominant_color parent_platforms platforms stores developers genres tags publishers
esrb_rating clip description_raw
"""
_DETAIL_ORDER = _DETAIL_KEYS.split()
_DETAIL_DEFAULT: Row = {name: 0 for name in _DETAIL_ORDER if name.endswith("_count")} | {
    "metacritic_platforms": [],
    "metacritic_url": "",
    "website": "",
    "reddit_url": "",
    "reddit_name": "",
    "reddit_description": "",
    "reddit_logo": "",
    "alternative_names": [],
    "developers": [],
    "publishers": [],
}
_RUSSIAN_OF_180 = 133  # recorded: 133 of 180 filtered games carried Russian tags
_NULL_LIST_ONE_IN = 2  # an empty list is shown as null in about half of the filtered rows

_encoder = msgspec.json.Encoder()
_slim: dict[str, dict[str, Any]] = {}


def encode(row: Row) -> bytes:
    """Encode compactly; lone surrogates, which UTF-8 cannot hold, as ASCII escapes."""
    try:
        return _encoder.encode(row)
    except (UnicodeEncodeError, ValueError):
        return json.dumps(row, separators=(",", ":")).encode()


def filtered_row(row: Row) -> Row:
    """Derive the filtered listing's row: slimmer nests, another order, Russian tags on some."""
    ident = int(row.get("id") or 0)
    slim = {**row, "score": None}
    slim["platforms"] = _shuffled(ident, [_wrap("platform", p) for p in row["platforms"] or ()])
    slim["stores"] = [_wrap("store", s) for s in row["stores"] or ()]
    slim["genres"] = _shuffled(ident, [_brief(g) for g in row["genres"] or ()])
    slim["tags"] = _tags(ident, row)
    if not ident % _NULL_LIST_ONE_IN:
        for name in ("platforms", "parent_platforms", "stores"):
            slim[name] = slim[name] or None
    if (esrb := row["esrb_rating"]) is not None:
        russian = ESRB_RUSSIAN.get(esrb["id"], esrb["name"])
        slim["esrb_rating"] = {**esrb, "name_en": esrb["name"], "name_ru": russian}
    ordered = {name: slim[name] for name in _FILTERED_ORDER if name in slim}
    for name in slim.keys() - ordered.keys():
        ordered[name] = slim[name]
    return ordered


def detail_row(row: Row) -> Row:
    """Derive `/games/{id}`: what the listings lack, `requirements` and an empty store `url`."""
    text = f"{row['name']} is a game."
    detail = {
        **_DETAIL_DEFAULT,
        **row,
        "name_original": row["name"],
        "description": f"<p>{text}</p>",
        "description_raw": text,
        "background_image_additional": row["background_image"],
        "reactions": {"1": 1} if row["added"] else None,
        "platforms": [_platform_detail(p) for p in row["platforms"] or ()],
        "stores": [{"id": s["id"], "url": "", "store": s["store"]} for s in row["stores"] or ()],
        "screenshots_count": max(len(row["short_screenshots"] or ()) - 1, 0),
    }
    return {name: detail[name] for name in _DETAIL_ORDER}


def _platform_detail(platform: Row) -> Row:
    return {
        "platform": platform["platform"],
        "released_at": platform["released_at"],
        "requirements": platform["requirements_en"] or {},
    }


def _brief(named: Row) -> Row:
    key = named["slug"]
    found = _slim.get(key)
    if found is None or found["id"] != named["id"] or found["name"] != named["name"]:
        found = _slim[key] = {"id": named["id"], "name": named["name"], "slug": key}
    return found


def _wrap(kind: str, item: Row) -> Row:
    return {kind: _brief(item[kind])}


def _shuffled(ident: int, items: list[Row]) -> list[Row]:
    """Order by a hash of the game: browse has one fixed order of genres, filtered another."""
    if len(items) < 2:
        return items
    return sorted(items, key=lambda i: (_item_id(i) * 2_654_435_761 ^ ident * 40_503) & 0xFFFF)


def _item_id(item: Row) -> int:
    return int(item["id"] if "id" in item else item["platform"]["id"])


def _tags(ident: int, row: Row) -> list[Row] | None:
    tags: list[Row] | None = row["tags"]
    if not tags and ident % 180 == 0:
        return None
    if ident * 7_919 % 180 >= _RUSSIAN_OF_180:
        return tags
    found = []
    for tag in tags or ():
        found.append(tag)
        if twin := RUSSIAN_TAG.get(tag["slug"]):
            found.append(twin)
    twins = (RUSSIAN_TAG.get(f"genre {g['slug']}") for g in row["genres"] or ())
    return [twin for twin in twins if twin] + found
