"""Invented, unique game names with the quirks counted in contracts/rawg.md 2.2."""

import re
import unicodedata

_FIRST = [
    "Iron",
    "Silent",
    "Lost",
    "Crimson",
    "Tiny",
    "Hollow",
    "Endless",
    "Neon",
    "Frozen",
    "Last",
]
_FAMILY = [
    "Escape the Cellar",
    "Tower",
    "Maze Runner",
    "Platform Test",
    "Bubble Pop",
    "Night Shift",
]
_SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in ("a", "e", "i", "o", "u", "ai", "or", "en")]
_BASE = len(_SYLLABLES)


def unique_word(index: int) -> str:
    """Return a pronounceable word that no other index has."""
    scrambled = (index * 97_436_953 + 61_234_567) % _BASE**4  # a bijection: odd, no multiple of 7
    parts = []
    for _ in range(4):
        scrambled, digit = divmod(scrambled, _BASE)
        parts.append(_SYLLABLES[digit])
    return "".join(parts)


def game_name(index: int, bits: int, *, itch: bool, year: int | None) -> str:
    """Return the name of game `index`; `bits` is its random number."""
    word = unique_word(index).capitalize()
    draw = bits % 10_000
    if draw < 3_600:
        return _suffixed(word, bits, itch=itch, year=year)
    if draw < 4_000:
        return _quirky(word, index, draw)
    return f"{_FIRST[bits % len(_FIRST)]} {word}"


def _suffixed(word: str, bits: int, *, itch: bool, year: int | None) -> str:
    draw = bits // 10_000 % 100
    if itch and draw < 25:
        return f"{word} (itch)"
    if itch and draw < 65:
        return f"{_FAMILY[bits % len(_FAMILY)]} ({word})"
    if year and draw > 98:
        return f"{word} ({year})"
    return f"The {word}"


def _quirky(word: str, index: int, draw: int) -> str:
    quirks = (
        (160, f"{word}, the Return"),
        (310, f"{word} 幻想迷宮"),
        (355, f"{word} и тень"),
        (375, f"{word} | Demo"),
        (389, f"{word} 🎮"),
        (392, f'The "{word}" Affair'),
        (394, f"{word} " + "and the very long road home " * 4),
        (395, f"{index + 1_000_000}"),
        (396, f"{word}\u200b"),
        (397, f"<b>{word}</b>"),
        (398, f"{word} &#8226; E"),
        (399, "!" + "".join("?!*+"[int(d) % 4] + "#~"[int(d) // 5] for d in f"{index:07d}")),
    )
    at = draw - 3_600
    for limit, name in quirks:
        if at < limit:
            return name.strip()
    return f"Ob\u0441erve {word}"  # a Cyrillic homoglyph


def slug_of(name: str, index: int, bits: int) -> str:
    """Return a unique slug: cut at 50 characters, `-N` on some, `game-N` when nothing is left."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9_]+", "-", ascii_name).strip("-")
    if not slug:
        return f"game-{index}"
    if bits // 1_000_000 % 1_000 < 55:
        slug += f"-{bits % 7 + 2}"
    return slug[:50]
