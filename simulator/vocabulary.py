"""The fixed vocabularies of RAWG: platforms, parents, stores, genres, age ratings, common tags.

Ids, slugs and parents of consoles, shops and genres are facts of the API (contracts/rawg.md);
image addresses and counts are invented. Tags past the first few are invented too.
"""
# ruff: noqa: RUF001 - the Russian names are meant

import hashlib
from typing import Any

Row = dict[str, Any]

_MEDIA = "https://media.simulator.invalid/media"

# id, name, slug, year_start
_PLATFORMS = """
4|PC|pc|
187|PlayStation 5|playstation5|2020
1|Xbox One|xbox-one|
18|PlayStation 4|playstation4|
186|Xbox Series S/X|xbox-series-x|2020
7|Nintendo Switch|nintendo-switch|
3|iOS|ios|
21|Android|android|
8|Nintendo 3DS|nintendo-3ds|
9|Nintendo DS|nintendo-ds|
13|Nintendo DSi|nintendo-dsi|
5|macOS|macos|
6|Linux|linux|
14|Xbox 360|xbox360|
80|Xbox|xbox-old|
16|PlayStation 3|playstation3|
15|PlayStation 2|playstation2|
27|PlayStation|playstation1|
19|PS Vita|ps-vita|
17|PSP|psp|
10|Wii U|wii-u|
11|Wii|wii|
105|GameCube|gamecube|
83|Nintendo 64|nintendo-64|
24|Game Boy Advance|game-boy-advance|
43|Game Boy Color|game-boy-color|
26|Game Boy|game-boy|
79|SNES|snes|
49|NES|nes|
55|Classic Macintosh|macintosh|
41|Apple II|apple-ii|
166|Commodore / Amiga|commodore-amiga|
28|Atari 7800|atari-7800|
31|Atari 5200|atari-5200|
23|Atari 2600|atari-2600|
22|Atari Flashback|atari-flashback|
25|Atari 8-bit|atari-8-bit|
34|Atari ST|atari-st|
46|Atari Lynx|atari-lynx|
50|Atari XEGS|atari-xegs|
167|Genesis|genesis|
107|SEGA Saturn|sega-saturn|
119|SEGA CD|sega-cd|
117|SEGA 32X|sega-32x|
74|SEGA Master System|sega-master-system|
106|Dreamcast|dreamcast|
111|3DO|3do|
112|Jaguar|jaguar|
77|Game Gear|game-gear|
12|Neo Geo|neogeo|
171|Web|web|
"""

# id, name, slug, member platforms
_PARENTS = """
1|PC|pc|4
2|PlayStation|playstation|187 18 16 15 27 19 17
3|Xbox|xbox|1 186 14 80
4|iOS|ios|3
8|Android|android|21
5|Apple Macintosh|mac|5 55 41
6|Linux|linux|6
7|Nintendo|nintendo|7 8 9 13 10 11 105 83 24 43 26 79 49
9|Atari|atari|28 31 23 22 25 34 46 50 112
10|Commodore / Amiga|commodore-amiga|166
11|SEGA|sega|167 107 119 117 74 106 77
12|3DO|3do|111
13|Neo Geo|neo-geo|12
14|Web|web|171
"""

# id, name, slug, domain
_STORES = """
1|Steam|steam|store.steampowered.com
3|PlayStation Store|playstation-store|store.playstation.com
2|Xbox Store|xbox-store|microsoft.com
4|App Store|apple-appstore|apps.apple.com
5|GOG|gog|gog.com
6|Nintendo Store|nintendo|nintendo.com
7|Xbox 360 Store|xbox360|marketplace.xbox.com
8|Google Play|google-play|play.google.com
9|itch.io|itch|itch.io
11|Epic Games|epic-games|epicgames.com
"""

# id, name, slug, share of games in percent, Russian tag of the filtered listing
_GENRES = """
4|Action|action|21|Экшен
51|Indie|indie|9|Инди
3|Adventure|adventure|17|Приключение
5|RPG|role-playing-games-rpg|7|Ролевая игра
10|Strategy|strategy|7|Стратегия
2|Shooter|shooter|7|Шутер
40|Casual|casual|7|Казуальная игра
14|Simulation|simulation|8|Симулятор
7|Puzzle|puzzle|12|Головоломка
11|Arcade|arcade|3|
83|Platformer|platformer|12|Платформер
1|Racing|racing|3|Гонки
59|Massively Multiplayer|massively-multiplayer|1|
15|Sports|sports|2|Спортивная игра
6|Fighting|fighting|2|
19|Family|family|1|
28|Board Games|board-games|1|
34|Educational|educational|2|Обучение
17|Card|card|1|
"""

# id, name, slug, Russian name; ids 1 to 5 are the age ratings, 6 is "pending"
_ESRB = """
1|Everyone|everyone|Для всех
2|Everyone 10+|everyone-10-plus|С 10 лет
3|Teen|teen|С 13 лет
4|Mature|mature|С 17 лет
5|Adults Only|adults-only|Только для взрослых
6|Rating Pending|rating-pending|Рейтинг обсуждается
"""

# name, Russian twin that only filtered listings show ('' when there is none)
_TAGS = """
Singleplayer|Для одного игрока
Multiplayer|Для нескольких игроков
Atmospheric|Атмосфера
2D|
Horror|Хоррор
Fantasy|Фэнтези
Great Soundtrack|Отличный саундтрек
Co-op|Кооператив
Story Rich|Глубокий сюжет
Open World|Открытый мир
First-Person|От первого лица
Third Person|От третьего лица
Sci-fi|Научная фантастика
Funny|Смешная
Pixel Graphics|Пиксельная графика
Exploration|Исследование
Retro|Ретро
Difficult|Сложная
Survival|Выживание
Sandbox|Песочница
Cute|Милая
Colorful|Цветастая
Stealth|Стелс
Short|
3D|
Relaxing|Расслабляющая
Mystery|Тайна
Full controller support|
Steam Achievements|
Steam Cloud|
exclusive|
Unity|
Early Access|Ранний доступ
VR|
Turn-Based|Пошаговая
Roguelike|Рогалик
Tower Defense|
Metroidvania|Метроидвания
Cyberpunk|Киберпанк
Robots|Роботы
"""

TAG_COUNT = 9_672  # as RAWG's /tags says
_TAIL_WORDS = ["amber", "basin", "cedar", "drift", "ember", "fjord", "grove", "haven", "islet"]
_RUSSIAN_TAG_BASE = 900_001  # out of RAWG's own range, so that replayed tags never collide


def image(kind: str, seed: str) -> str:
    """Return an invented image address of RAWG's length, stable for `seed`."""
    digest = hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()
    return f"{_MEDIA}/{kind}/{digest[:3]}/{digest}.jpg"


def _lines(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.strip().splitlines()]


def _platform(fields: list[str], ordinal: int) -> Row:
    ident, name, slug, year_start = fields
    return {
        "id": int(ident),
        "name": name,
        "slug": slug,
        "image": None,
        "year_end": None,
        "year_start": int(year_start) if year_start else None,
        "games_count": 530_000 // (ordinal + 1),
        "image_background": image("games", f"platform {slug}"),
    }


def _store(fields: list[str], ordinal: int) -> Row:
    ident, name, slug, domain = fields
    return {
        "id": int(ident),
        "name": name,
        "slug": slug,
        "domain": domain,
        "games_count": 90_000 // (ordinal + 1),
        "image_background": image("games", f"store {slug}"),
    }


def _named(fields: list[str], games_count: int) -> Row:
    ident, name, slug = fields[:3]
    return {
        "id": int(ident),
        "name": name,
        "slug": slug,
        "games_count": games_count,
        "image_background": image("games", f"genre {slug}"),
    }


def _tag(ident: int, name: str, language: str, games_count: int) -> Row:
    slug = name.lower().replace(" ", "-") if language == "eng" else f"ru-{ident}"
    return {
        "id": ident,
        "name": name,
        "slug": slug,
        "language": language,
        "games_count": games_count,
        "image_background": image("games", f"tag {slug}"),
    }


def _tail_tag(ordinal: int) -> Row:
    first = _TAIL_WORDS[ordinal % len(_TAIL_WORDS)]
    language = "epo" if ordinal % 50 == 0 else ""
    tag = _tag(ordinal + 1, f"{first} {ordinal}", "eng", 1 + 200_000 // (ordinal + 1))
    return tag | {"language": language} if language else tag


PLATFORMS: list[Row] = [_platform(f, i) for i, f in enumerate(_lines(_PLATFORMS))]
PLATFORM = {row["id"]: row for row in PLATFORMS}
PARENTS: list[Row] = [
    {"id": int(i), "name": n, "slug": s, "members": [int(m) for m in members.split()]}
    for i, n, s, members in _lines(_PARENTS)
]
PARENT_OF = {
    member: {"platform": {"id": row["id"], "name": row["name"], "slug": row["slug"]}}
    for row in PARENTS
    for member in row["members"]
}
STORES: list[Row] = [_store(f, i) for i, f in enumerate(_lines(_STORES))]
STORE = {row["id"]: row for row in STORES}
GENRES: list[Row] = [_named(f, 1_800 * int(f[3])) for f in _lines(_GENRES)]
GENRE_SHARES = [int(f[3]) for f in _lines(_GENRES)]
ESRB = [{"id": int(i), "name": n, "slug": s} for i, n, s, _ in _lines(_ESRB)]
ESRB_RUSSIAN = {int(i): russian for i, _, _, russian in _lines(_ESRB)}
TAGS: list[Row] = [
    _tag(i + 1, f[0], "eng", 230_000 // (i + 1)) for i, f in enumerate(_lines(_TAGS))
]
TAGS += [_tail_tag(i) for i in range(len(TAGS), TAG_COUNT)]


def _russian_tags() -> dict[str, Row]:
    names = {f[0].lower().replace(" ", "-"): f[1] for f in _lines(_TAGS)}
    names |= {f"genre {f[2]}": f[4] for f in _lines(_GENRES)}
    paired = [(slug, name) for slug, name in names.items() if name]
    return {
        slug: _tag(_RUSSIAN_TAG_BASE + i, name, "rus", 60_000 // (i + 1))
        for i, (slug, name) in enumerate(paired)
    }


# English tag slug, or "genre <slug>", -> the Russian tag that filtered listings add
RUSSIAN_TAG = _russian_tags()
