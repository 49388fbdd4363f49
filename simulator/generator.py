"""Invented games as browse rows, with the quirks counted in contracts/rawg.md 1.5 and 2.1."""

from typing import Any

import numpy as np

from simulator.draws import CHUNK, Blend, draw
from simulator.names import game_name, slug_of
from simulator.vocabulary import (
    ESRB,
    GENRE_SHARES,
    GENRES,
    PARENT_OF,
    PARENTS,
    PLATFORM,
    PLATFORMS,
    STORE,
    TAG_COUNT,
    TAGS,
    Row,
    image,
)

_STATUSES = ("yet", "owned", "beaten", "toplay", "dropped", "playing")
_STATUS_SHARES = (0.07, 0.62, 0.16, 0.08, 0.05, 0.02)
_TITLES = {5: "exceptional", 4: "recommended", 3: "meh", 1: "skip"}
_REQUIREMENTS = [
    {"minimum": f"<strong>Minimum:</strong><br><ul><li>Memory: {n} GB RAM<br></li></ul>"}
    | ({"recommended": f"Memory: {2 * n} GB RAM"} if n > 2 else {})
    for n in (1, 2, 4, 8, 16)
]


def chunk_rows(blend: Blend, first: int) -> list[Row]:
    """Return the browse rows of games `first` to the end of their chunk, in order of id."""
    count = min(CHUNK, blend.games - first)
    draws = draw(blend, first)
    tags = _tag_lists(np.random.default_rng([blend.seed, first, 1]), CHUNK)
    return [_row(first + i, {n: d[i] for n, d in draws.items()}, tags[i]) for i in range(count)]


def _tag_lists(rng: np.random.Generator, count: int) -> list[list[Row]]:
    lengths = np.where(rng.random(count) < 0.1, 0, rng.geometric(0.155, count).clip(max=70))
    picks = (TAG_COUNT * rng.random(int(lengths.sum())) ** 6).astype(int).tolist()
    lists, at = [], 0
    for length in lengths.tolist():
        lists.append([TAGS[pick] for pick in dict.fromkeys(picks[at : at + length])])
        at += length
    return lists


def _row(index: int, draw: dict[str, Any], tags: list[Row]) -> Row:
    bits, released = draw["bits"], draw["released"] or None
    itch = draw["kind"] < 0.64
    year = int(released[:4]) if released else None
    name = game_name(index, bits, itch=itch, year=year)
    cover = image("games", f"cover {index} {bits}") if bits % 97 >= 4 else None
    platforms, stores = _where(draw["kind"], bits, released, index)
    votes = _votes(draw["votes"], draw["quality"])
    unrated = {} if votes["rating_top"] else {"community_rating": 0}
    return {
        "id": index + index // 9 + 1,  # ids have gaps
        "slug": slug_of(name, index, bits),
        "name": name,
        "released": released,
        "tba": bits % 6 == 0 if released is None else bits % 1_300 == 0,
        "background_image": cover,
        **votes,
        "reviews_text_count": draw["votes"] // 40,
        **_shelf(draw["added"], bits),
        "metacritic": 30 + bits % 68 if draw["popularity"] > 0.985 and bits % 4 else None,
        "playtime": _playtime(bits) if draw["popularity"] > 0.9 else 0,
        "suggestions_count": bits % 700,
        "updated": draw["updated"],
        "user_game": None,
        "reviews_count": draw["votes"],
        **unrated,
        "saturated_color": "0f0f0f",
        "dominant_color": "0f0f0f",
        "platforms": platforms,
        "parent_platforms": _parents(platforms),
        "genres": _genres(bits),
        "stores": stores,
        "clip": None,
        "tags": tags,
        "esrb_rating": ESRB[bits % 5] if bits % 1_000 < 80 else None,
        "short_screenshots": _screenshots(index, bits, cover),
    }


def _votes(votes: int, quality: float) -> Row:
    """Spread votes over the four grades; below 6 votes RAWG shows no rating (0.0, top 0)."""
    shares = {
        5: max(quality - 2.6, 0.1),
        4: 1.0,
        3: max(4.4 - quality, 0.1),
        1: max(4 - quality, 0.1),
    }
    total = sum(shares.values())
    counts = {grade: int(votes * share / total) for grade, share in shares.items()}
    counts[4] += votes - sum(counts.values())
    grades = sorted((g for g in counts if counts[g]), key=lambda g: -counts[g])
    ratings = [
        {
            "id": g,
            "title": _TITLES[g],
            "count": counts[g],
            "percent": round(100 * counts[g] / votes, 2),
        }
        for g in grades
    ]
    rated = votes >= 6
    mean = sum(g * counts[g] for g in grades) / votes if rated else 0.0
    return {
        "rating": round(mean, 2),
        "rating_top": grades[0] if rated else 0,
        "ratings": ratings,
        "ratings_count": votes - votes // 50,
    }


def _shelf(added: int, bits: int) -> Row:
    """Return `added` and its statuses: they sum to it, zeros are left out, null when nobody."""
    if not added:
        return {"added": 0, "added_by_status": {} if bits % 390 == 0 else None}
    counts = [int(added * share) for share in _STATUS_SHARES]
    counts[1 if added > 5 else bits % 6] += added - sum(counts)
    statuses = {name: n for name, n in zip(_STATUSES, counts, strict=True) if n}
    return {"added": added, "added_by_status": statuses}


def _playtime(bits: int) -> int:
    draw = bits % 1_000
    if draw < 200:
        return 0
    return 200 + bits % 2_431 if draw == 999 else 1 + draw // 150 + (draw % 60 if draw > 950 else 0)


def _where(kind: float, bits: int, released: str | None, index: int) -> tuple[list[Row], list[Row]]:
    """Draw platforms and stores: itch.io alone for 64 %, Steam, phones, or an old console."""
    if bits % 350 == 0:
        return [], []
    if kind < 0.64:
        platforms, stores = _pick((4, 171, 5, 6, 21), bits, 3), [9] if bits % 40 else []
    elif kind < 0.78:
        platforms = [4, *_pick((5, 6, 7, 18, 1, 187, 186), bits // 7, 4)][: 1 + bits % 3]
        stores = [1, *_pick((5, 11, 6, 3, 2), bits // 11, 4)][: 1 + bits % 7 // 4]
    elif kind < 0.90:
        platforms, stores = ([3], [4]) if bits % 5 else ([3, 21], [4, 8])
    else:
        platforms, stores = (
            _pick([p["id"] for p in PLATFORMS], bits, 2),
            [6] if bits % 5 == 0 else [],
        )
    return (
        [_platform(ident, bits, released) for ident in platforms],
        [{"id": 12 * index + n, "store": STORE[ident]} for n, ident in enumerate(stores)],
    )


def _pick(items: Any, bits: int, most: int) -> list[int]:
    count = 1 + (bits // 13 % 100) // 70 * (bits // 17 % most)
    return [items[(bits + 3 * n) % len(items)] for n in range(min(count, len(items)))]


def _platform(ident: int, bits: int, released: str | None) -> Row:
    steam = ident == 4 and bits % 3 == 0
    return {
        "platform": PLATFORM[ident],
        "released_at": released if bits % 29 else None,
        "requirements_en": _REQUIREMENTS[bits % len(_REQUIREMENTS)] if steam else None,
        "requirements_ru": None,
    }


def _parents(platforms: list[Row]) -> list[Row]:
    present = {PARENT_OF[p["platform"]["id"]]["platform"]["id"] for p in platforms}
    return [
        {"platform": {"id": row["id"], "name": row["name"], "slug": row["slug"]}}
        for row in PARENTS
        if row["id"] in present
    ]


def _genres(bits: int) -> list[Row]:
    """Every genre by its own share; browse lists them in one fixed order."""
    state, found = bits, []
    for genre, share in zip(GENRES, GENRE_SHARES, strict=True):
        state = state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407 & (2**64 - 1)
        if (state >> 33) % 100 < share:
            found.append(genre)
    return found


def _screenshots(index: int, bits: int, cover: str | None) -> list[Row]:
    """Up to seven; the first is the cover under the fake id -1 that all games share."""
    if cover is None:
        return []
    first = [{"id": -1, "image": cover}]
    extra = range(bits // 19 % 7)
    return first + [
        {"id": 8 * index + n + 1, "image": image("screenshots", f"{index} {n}")} for n in extra
    ]
