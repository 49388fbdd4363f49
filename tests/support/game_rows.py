"""Invented games in both listing shapes, and the way from one shape to the other."""

import copy
import gzip
import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]
_NAMED = ("id", "name", "slug")


def named(number: int, name: str, **more: Any) -> Row:
    return {"id": number, "name": name, "slug": name.lower().replace(" ", "-")} | more


def _drifting(number: int, name: str, **more: Any) -> Row:
    return named(number, name, games_count=number * 100, image_background="https://x/b.jpg", **more)


def browse_game(number: int = 1, **changes: Any) -> Row:
    """A game as the browse listing gives it; every field is filled."""
    platform = _drifting(4, "PC", image=None, year_end=None, year_start=1985)
    needs = {"minimum": "<b>1 GB</b>", "recommended": "2 GB"}
    game = named(number, f"Game {number}") | {
        "released": "2020-05-17",
        "tba": False,
        "background_image": "https://x/cover.jpg",
        "rating": 3.5,
        "rating_top": 4,
        "ratings": [
            {"id": 4, "title": "recommended", "count": 5, "percent": 62.5},
            {"id": 1, "title": "skip", "count": 3, "percent": 37.5},
        ],
        "ratings_count": 8,
        "reviews_text_count": 1,
        "added": 12,
        "added_by_status": {"owned": 10, "yet": 2},
        "metacritic": 71,
        "playtime": 6,
        "suggestions_count": 20,
        "updated": "2026-07-01T10:20:30",
        "user_game": None,
        "reviews_count": 8,
        "saturated_color": "0f0f0f",
        "dominant_color": "0f0f0f",
        "platforms": [
            {
                "platform": platform,
                "released_at": "2020-05-17",
                "requirements_en": needs,
                "requirements_ru": None,
            },
            {
                "platform": platform | named(7, "Nintendo Switch"),
                "released_at": None,
                "requirements_en": None,
                "requirements_ru": dict(needs),
            },
        ],
        "parent_platforms": [{"platform": named(1, "PC")}, {"platform": named(7, "Nintendo")}],
        "genres": [_drifting(4, "Action"), _drifting(51, "Indie")],
        "stores": [
            {"id": 901, "store": _drifting(1, "Steam", domain="store.steampowered.com")},
            {"id": 902, "store": _drifting(9, "itch io", domain="itch.io")},
        ],
        "clip": None,
        "tags": [
            _drifting(31, "Singleplayer", language="eng"),
            _drifting(7, "Multiplayer", language="eng"),
        ],
        "esrb_rating": named(4, "Mature"),
        "short_screenshots": [
            {"id": -1, "image": "https://x/cover.jpg"},
            {"id": 55, "image": "https://x/55.jpg"},
        ],
    }
    return game | changes


def filtered_game(browse: Row) -> Row:
    """The same game as the filtered listing gives it: slimmer, in Russian too, in other orders."""
    game = copy.deepcopy(browse)
    for name in ("genres", "platforms", "parent_platforms", "stores", "tags", "short_screenshots"):
        game[name] = list(reversed(game[name] or [])) or None
    game["platforms"] = [
        {"platform": _slim(entry["platform"])} for entry in game["platforms"] or []
    ]
    game["stores"] = [{"store": _slim(entry["store"])} for entry in game["stores"] or []] or None
    game["genres"] = [_slim(genre) for genre in game["genres"] or []]
    russian = _drifting(42396, "Для одного игрока", language="rus")
    game["tags"] = [russian, *(game["tags"] or [])]
    if game["esrb_rating"]:
        game["esrb_rating"] |= {"name_en": "Mature", "name_ru": "До 17 лет"}
    game |= {"score": None}
    return dict(reversed(game.items()))


def _slim(entry: Row) -> Row:
    return {name: entry[name] for name in _NAMED}


def results(*rows: Any) -> bytes:
    """The rows as a page holds them."""
    return json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")


def without_nulls(value: Any) -> Any:
    """Drop members that are null: where a field is declared, null and absent are both NULL."""
    if isinstance(value, dict):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def restored(payload: bytes, extra: str) -> Row:
    """Put a row together again from what is declared and what is not."""
    row: Row = json.loads(payload)
    for name, value in json.loads(extra).items():
        if not name.startswith("/"):
            row[name] = value
            continue
        *path, last = [p.replace("~1", "/").replace("~0", "~") for p in name[1:].split("/")]
        at: Any = row
        for step in path:
            at = at[int(step)] if isinstance(at, list) else at[step]
        at[last] = value
    return row


def recorded_rows(folder: Path, *names: str) -> list[Row]:
    """The rows of recorded pages."""
    pages = [gzip.decompress((folder / "rawg" / "pages" / name).read_bytes()) for name in names]
    return [row for page in pages for row in json.loads(page)["results"]]
