"""What the star must be, from the rows as served: plain Python, written from DESIGN 5 and 6.

It shares no code with the pipeline, uses no engine and knows no file: pages in the order of
their fetching go in, tables as lists of dicts come out. Rows that ingestion quarantines (no
whole-number id, wrong types) must be left out by the caller, except that rows without an id
are passed over here. `payload_hash` is left out: its algorithm is nobody else's business.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Star = dict[str, list[Row]]

RAWG_ORDINAL = 1
RATINGS = ("exceptional", "recommended", "meh", "skip")
SHELVES = ("yet", "owned", "beaten", "toplay", "dropped", "playing")
MEASURES = ("rating", "ratings_count", "added_count", "metacritic_score", "playtime_hours")
BRIDGED = {"platform": "platforms", "store": "stores", "genre": "genres", "tag": "tags"}
LOOKUPS = {"platforms": "platform", "stores": "store", "genres": "genre"}
PLAIN_FIELDS = (
    "slug", "name", "released", "tba", "background_image", "rating", "rating_top", "added",
    "ratings_count", "reviews_text_count", "reviews_count", "community_rating", "metacritic",
    "playtime", "suggestions_count", "saturated_color", "dominant_color",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """One answer of the source: `listing` is browse or filtered, `entity` games or a look-up.

    Rows of the entity `year_counts` are the source's own: `year` (None: of no year), `count`.

    A delta reads again what it knows already, for an overlap: rows `updated` up to `since`
    enrich nothing.
    """

    rows: Sequence[Row]
    run: str = "run-1"
    listing: str = "browse"
    fetched_at: dt.datetime | None = None
    entity: str = "games"
    since: str = ""


@dataclass
class _Game:
    """What is known of a game: its stored rows, and what only one listing carries."""

    stored: list[tuple[Page, Row]] = field(default_factory=list)
    platform_dates: dict[int, dt.date | None] = field(default_factory=dict)
    russian: dict[int, Row] = field(default_factory=dict)


@dataclass
class Oracle:
    """Feed it pages in the order of their fetching, then ask for the star and the counts."""

    games: dict[int, _Game] = field(default_factory=dict)
    members: dict[str, dict[int, Row]] = field(default_factory=lambda: defaultdict(dict))
    families: dict[int, dict[int, str | None]] = field(default_factory=dict)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    years: dict[int | None, int] = field(default_factory=dict)
    years_from: Page | None = None

    def feed(self, pages: Iterable[Page]) -> "Oracle":
        for page in pages:
            if page.entity == "year_counts":
                self._years(page)
                continue
            for row in page.rows:
                if _is_id(row.get("id")):
                    (self._game if page.entity == "games" else self._lookup)(page, row)
        return self

    def _game(self, page: Page, row: Row) -> None:
        """The ledger: store what is new, changed, or richer than what is stored."""
        game = self.games.setdefault(row["id"], _Game())
        outcome = _outcome(game, page, row)
        self.counts[page.run][outcome] += 1
        if outcome == "unchanged":
            return
        game.stored.append((page, row))
        if page.listing == "browse":
            game.platform_dates = {
                entry["platform"]["id"]: _date(entry.get("released_at"))
                for entry in _entries(row, "platform")
            }
        else:
            game.russian = {tag["id"]: tag for tag in _members(row, "tag") if _is_russian(tag)}
        for dimension in (*BRIDGED, "esrb_rating"):
            for member in _members(row, dimension):
                self._meet(dimension, member)

    def _lookup(self, page: Page, row: Row) -> None:
        if page.entity == "parent_platforms":
            children = [child["id"] for child in row.get("platforms") or []]
            self.families[row["id"]] = dict.fromkeys(children, row.get("name"))
        else:
            self._meet(LOOKUPS[page.entity], row)

    def _meet(self, dimension: str, member: Row) -> None:
        """The latest name wins; what a slim row does not say is kept."""
        known = self.members[dimension].setdefault(member["id"], {})
        known.update({key: value for key, value in member.items() if value is not None})

    def _years(self, page: Page) -> None:
        """The last word counts, and is told since when: saying it again is no news."""
        said = {row["year"]: row["count"] for row in page.rows}
        if said and said != self.years:
            self.years, self.years_from = said, page

    def _source_years(self) -> Iterator[Row]:
        for year, count in sorted((year or 0, count) for year, count in self.years.items()):
            assert self.years_from is not None
            yield {
                "release_year_key": year,
                "source_games": count,
                "observed_at": self.years_from.fetched_at,
                "source_code": "rawg",
                "run_id": self.years_from.run,
            }

    def star(self) -> Star:
        """Return every table, rows sorted by their business key."""
        facts = [_fact(number, *game.stored[-1]) for number, game in sorted(self.games.items())]
        versions = [row for game in self.games.values() for _, row in game.stored]
        tables: Star = {"fact_games": facts, "dim_date": _dates(versions)}
        tables["fact_game_history"] = [
            row for number, game in sorted(self.games.items()) for row in _history(number, game)
        ]
        tables["fact_source_years"] = [*self._source_years()]
        for dimension in (*BRIDGED, "esrb_rating"):
            tables[f"dim_{dimension}"] = self._dimension(dimension)
        for dimension in BRIDGED:
            tables[f"bridge_game_{dimension}"] = [
                row for number in sorted(self.games) for row in self._bridge(dimension, number)
            ]
        return tables

    def _dimension(self, name: str) -> list[Row]:
        family = {
            child: text for parent in self.families.values() for child, text in parent.items()
        }
        unknown = {f"{name}_key": 0, f"{name}_id": None, f"{name}_name": "Unknown"}
        rows = [{**unknown, f"{name}_slug": "unknown", **_extra(name, {}, {})}]
        for number, member in sorted(self.members[name].items()):
            rows.append(
                {
                    f"{name}_key": _key(number),
                    f"{name}_id": number,
                    f"{name}_name": member.get("name"),
                    f"{name}_slug": member.get("slug"),
                    **_extra(name, member, family),
                }
            )
        return rows

    def _bridge(self, dimension: str, number: int) -> Iterator[Row]:
        game = self.games[number]
        page, row = game.stored[-1]
        ids = {member["id"] for member in _members(row, dimension)}
        if dimension == "tag" and page.listing == "browse":
            ids |= game.russian.keys()
        for member_id in sorted(ids):
            link: Row = {"game_id": number, f"{dimension}_key": _key(member_id)}
            if dimension == "platform":
                link["released_on"] = game.platform_dates.get(member_id)
            yield link


def _outcome(game: _Game, page: Page, row: Row) -> str:
    if not game.stored:
        return "new"
    before_page, before = game.stored[-1]
    if before.get("updated") != row.get("updated") or _essence(before) != _essence(row):
        return "changed"
    richer = page.listing == "browse" and before_page.listing == "filtered"
    if richer and (row.get("updated") or "") > page.since:
        return "enriched"
    return "unchanged"


def _essence(row: Row) -> Row:
    """Every field that both listings carry; without order, Russian tags and drifting fields."""
    essence: Row = {name: row.get(name) for name in PLAIN_FIELDS}
    essence["ratings"] = sorted(_ratings(row).items())
    essence["shelves"] = _shelves(row)
    essence["screenshots"] = sorted(
        (shot["id"], shot.get("image") or "") for shot in row.get("short_screenshots") or []
    )
    parents = [entry["platform"] for entry in row.get("parent_platforms") or []]
    essence["parents"] = _named(parents)
    for dimension in (*BRIDGED, "esrb_rating"):
        essence[dimension] = _named(m for m in _members(row, dimension) if not _is_russian(m))
    return essence


def _named(members: Iterable[Row]) -> list[tuple[Any, ...]]:
    return sorted((m["id"], m.get("name"), m.get("slug"), m.get("language")) for m in members)


def _entries(row: Row, dimension: str) -> list[Row]:
    """The list entries that hold members of platform or store, one level up."""
    return [
        e for e in row.get(BRIDGED[dimension]) or [] if _is_id((e.get(dimension) or {}).get("id"))
    ]


def _members(row: Row, dimension: str) -> list[Row]:
    if dimension == "esrb_rating":
        found = [row.get("esrb_rating") or {}]
    elif dimension in ("platform", "store"):
        found = [entry[dimension] for entry in _entries(row, dimension)]
    else:
        found = row.get(BRIDGED[dimension]) or []
    return [member for member in found if _is_id(member.get("id"))]


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_russian(tag: Row) -> bool:
    return tag.get("language") == "rus"


def _ratings(row: Row) -> Counter[str]:
    votes: Counter[str] = Counter()
    for rating in row.get("ratings") or []:
        votes[rating["title"]] += rating.get("count") or 0
    return votes


def _shelves(row: Row) -> dict[str, int]:
    said = row.get("added_by_status") or {}
    return {name: said.get(name) or 0 for name in SHELVES}


def _key(natural_id: int) -> int:
    return RAWG_ORDINAL * 10**10 + natural_id


def _date(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text[:10])


def _date_key(day: dt.date | None) -> int:
    return 0 if day is None else day.year * 10_000 + day.month * 100 + day.day


def _extra(dimension: str, member: Row, family: Mapping[int, str | None]) -> Row:
    if dimension == "platform":
        return {"platform_family": family.get(member.get("id", -1))}
    if dimension == "store":
        return {"store_domain": member.get("domain")}
    return {"language_code": member.get("language")} if dimension == "tag" else {}


def _updated(row: Row) -> dt.datetime | None:
    return None if row.get("updated") is None else dt.datetime.fromisoformat(row["updated"])


def _fact(number: int, page: Page, row: Row) -> Row:
    released, updated, votes = _date(row.get("released")), _updated(row), _ratings(row)
    shots = [shot for shot in row.get("short_screenshots") or [] if shot.get("id") != -1]
    esrb = [_key(member["id"]) for member in _members(row, "esrb_rating")]
    return {
        "game_id": number,
        "slug": row.get("slug"),
        "name": row.get("name"),
        "release_date_key": _date_key(released),
        "updated_date_key": _date_key(updated),
        "esrb_rating_key": esrb[0] if esrb else 0,
        "released_on": released,
        "is_tba": row.get("tba"),
        **_measures(row),
        "rating_top": row.get("rating_top"),
        "reviews_count": row.get("reviews_count") or 0,
        "reviews_text_count": row.get("reviews_text_count") or 0,
        **{f"ratings_{title}": votes[title] for title in RATINGS},
        **{f"added_{name}": count for name, count in _shelves(row).items()},
        "suggestions_count": row.get("suggestions_count") or 0,
        "screenshots_count": len(shots),
        "background_image_url": row.get("background_image"),
        "source_updated_at": updated,
        "source_code": "rawg",
        "run_id": page.run,
    }


def _measures(row: Row) -> Row:
    return {
        "rating": row.get("rating"),
        "ratings_count": row.get("ratings_count") or 0,
        "added_count": row.get("added") or 0,
        "metacritic_score": row.get("metacritic"),
        "playtime_hours": row.get("playtime"),
    }


def _history(number: int, game: _Game) -> Iterator[Row]:
    before: Row | None = None
    for page, row in game.stored:
        measures = _measures(row)
        if measures != before:
            lineage = {"observed_at": page.fetched_at, "run_id": page.run}
            yield {"game_id": number, "source_updated_at": _updated(row), **measures, **lineage}
        before = measures


def _dates(versions: Sequence[Row]) -> list[Row]:
    """The calendar over every stored version: unused rows of a dimension stay."""
    texts = [row.get(name) for row in versions for name in ("released", "updated")]
    years = [day.year for day in map(_date, texts) if day]
    unknown: Row = {**dict.fromkeys(_day(dt.date.min)), "date_key": 0}
    rows: list[Row] = [{**unknown, "month_name": "Unknown", "day_name": "Unknown"}]
    day, last = dt.date(min(years, default=1), 1, 1), max(years, default=0)
    while day.year <= last:
        rows.append(_day(day))
        day += dt.timedelta(days=1)
    return rows


def _day(day: dt.date) -> Row:
    return {
        "date_key": _date_key(day),
        "full_date": day,
        "year_number": day.year,
        "quarter_number": (day.month + 2) // 3,
        "month_number": day.month,
        "month_name": f"{day:%B}",
        "week_of_year": day.isocalendar().week,
        "day_of_month": day.day,
        "day_of_week": day.isoweekday(),
        "day_name": f"{day:%A}",
        "is_weekend": day.isoweekday() >= 6,
    }
