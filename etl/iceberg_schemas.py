"""The thirteen tables of the star: the one place that names their columns.

Writers, checks, readers and the data dictionary all read this module. It needs nothing but
pyarrow, so that the pure table builders may import it; `etl.iceberg_types` turns a table into
an Iceberg schema.

Timestamps are Iceberg `timestamp` (no zone) in microseconds, and the values are UTC. Dremio
reads `timestamp` and `timestamptz` alike, but DuckDB and Spark show and truncate a
`timestamptz` in the zone of whoever asks (and DuckDB's Python client wants pytz for it), so the
same query would give different days to different readers. See docs/decisions.

Numbers that the source sends are BIGINT: whatever raw could hold, the star can hold.
"""

from dataclasses import dataclass

import pyarrow as pa

LONG = pa.int64()
INT = pa.int32()
DOUBLE = pa.float64()
STRING = pa.string()
BOOLEAN = pa.bool_()
DATE = pa.date32()
TIMESTAMP = pa.timestamp("us")


@dataclass(frozen=True)
class Column:
    """One column: `doc` gives meaning, unit, source field and trap."""

    name: str
    type: pa.DataType
    doc: str
    required: bool = False


@dataclass(frozen=True)
class StarTable:
    """One table: `grain` says what a row is, `key` which columns are unique together.

    Files are sorted by `sort`, so that readers can skip by their statistics.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    sort: tuple[str, ...]
    columns: tuple[Column, ...]

    def arrow(self) -> pa.Schema:
        """Return the pyarrow schema: names, types, nullability and docs, in declared order."""
        return pa.schema(
            [
                pa.field(c.name, c.type, nullable=not c.required, metadata={"doc": c.doc})
                for c in self.columns
            ]
        )

    def column(self, name: str) -> Column:
        """Return the column `name`; raises KeyError when the table has none."""
        return {c.name: c for c in self.columns}[name]


def _key(name: str, doc: str, kind: pa.DataType = LONG) -> Column:
    return Column(name, kind, doc, required=True)


def _count(name: str, doc: str) -> Column:
    return Column(name, LONG, f"{doc} 0 when the source leaves it out.", required=True)


_GAME = _key("game_id", "RAWG id of the game. Source: games.id.")
_RUN = Column("run_id", STRING, "Ingest run that stored this version (lineage).", required=True)
_HASH = Column("payload_hash", STRING, "Hash of the fields compared for change.", required=True)
_SOURCE_UPDATED = Column(
    "source_updated_at",
    TIMESTAMP,
    "When RAWG last touched the record, UTC. Source: games.updated, which carries no zone. "
    "Trap: mass backfills share one value; it is no sign of activity.",
)
_RATING = Column(
    "rating",
    DOUBLE,
    "Mean player rating, 0 to 5. Source: games.rating. Trap: 0.0 means fewer than 6 votes, not "
    "bad; use games_clean.player_rating.",
)
_RATINGS_COUNT = _count("ratings_count", "Votes behind `rating`. Source: games.ratings_count.")
_ADDED = _count(
    "added_count",
    "Users who shelved the game. Source: games.added. Trap: a running total, not a trend.",
)
_METACRITIC = Column(
    "metacritic_score",
    LONG,
    "Metacritic score, 0 to 100. Source: games.metacritic. Trap: known for 1.8 % of games, and "
    "rarely after 2022.",
)
_PLAYTIME = Column(
    "playtime_hours",
    LONG,
    "Average playtime in whole hours. Source: games.playtime. Trap: 0 means unknown.",
)


def _vote(title: str) -> Column:
    return _count(f"ratings_{title}", f"Votes '{title}'. Source: games.ratings[title].count.")


def _shelf(status: str) -> Column:
    return _count(f"added_{status}", f"Users with status '{status}'. Source: added_by_status.")


FACT_GAMES = StarTable(
    name="fact_games",
    grain="one row a game, its latest observed version",
    key=("game_id",),
    sort=("game_id",),
    columns=(
        _GAME,
        Column("slug", STRING, "Name in URLs. Source: games.slug. Trap: cut at 50 characters."),
        Column("name", STRING, "Title. Source: games.name. Trap: RAWG adds '(itch)', years."),
        _key("release_date_key", "Day of `released_on` in dim_date, yyyymmdd; 0 when unknown."),
        _key("updated_date_key", "Day of `source_updated_at` in dim_date; 0 when unknown."),
        _key("esrb_rating_key", "Age rating, see dim_esrb_rating; 0 when unknown."),
        Column(
            "released_on",
            DATE,
            "Release date. Source: games.released. Trap: 1 January is often 'some time that "
            "year', dates in the future are plans, the source allows both; kept as sent.",
        ),
        Column(
            "is_tba", BOOLEAN, "Release to be announced. Source: games.tba. Trap: may be dated."
        ),
        _RATING,
        Column("rating_top", LONG, "Most common vote, 1 to 5; 0 when unrated. Source: rating_top."),
        _RATINGS_COUNT,
        _count("reviews_count", "Votes and reviews. Source: games.reviews_count."),
        _count("reviews_text_count", "Reviews with text. Source: games.reviews_text_count."),
        _vote("exceptional"),
        _vote("recommended"),
        _vote("meh"),
        _vote("skip"),
        _ADDED,
        _shelf("yet"),
        _shelf("owned"),
        _shelf("beaten"),
        _shelf("toplay"),
        _shelf("dropped"),
        _shelf("playing"),
        _METACRITIC,
        _PLAYTIME,
        _count("suggestions_count", "Similar games named. Source: games.suggestions_count."),
        _count(
            "screenshots_count",
            "Screenshots in the listing, at most 6, without the cover (id -1). Source: "
            "games.short_screenshots.",
        ),
        Column("background_image_url", STRING, "Cover. Source: games.background_image."),
        _SOURCE_UPDATED,
        Column("source_code", STRING, "Source of the row, 'rawg' (lineage).", required=True),
        _RUN,
        _HASH,
    ),
)

FACT_GAME_HISTORY = StarTable(
    name="fact_game_history",
    grain="one row a game and observed version in which a measure differs from the one before",
    key=("game_id", "observed_at"),
    sort=("game_id", "observed_at"),
    columns=(
        _GAME,
        _key(
            "observed_at", "When the version was fetched, UTC. Source: raw _fetched_at.", TIMESTAMP
        ),
        _SOURCE_UPDATED,
        _RATING,
        _RATINGS_COUNT,
        _ADDED,
        _METACRITIC,
        _PLAYTIME,
        _HASH,
        _RUN,
    ),
)

FACT_SOURCE_YEARS = StarTable(
    name="fact_source_years",
    grain="one row a source and release year that it counts games of, as it said last",
    key=("release_year_key", "source_code"),
    sort=("release_year_key", "source_code"),
    columns=(
        _key("release_year_key", "Release year; 0 for games of no year that the source lists."),
        _key(
            "source_games",
            "Games that the source itself has of that year, held here or not. Source: "
            "filters.years of the browse listing; for 0 its count less all years. Trap: RAWG lists "
            "no years past the present one, so 0 holds planned games beside the undated.",
        ),
        _key("observed_at", "When the source was first heard to say so, UTC (lineage).", TIMESTAMP),
        _key("source_code", "Source of the row, 'rawg' (lineage).", STRING),
        _key("run_id", "Ingest run that stored the counts (lineage).", STRING),
    ),
)

DIM_DATE = StarTable(
    name="dim_date",
    grain="one row a calendar day from the first to the last year used, and key 0 for unknown",
    key=("date_key",),
    sort=("date_key",),
    columns=(
        _key("date_key", "yyyymmdd; 0 is the unknown day, all its other columns are NULL."),
        Column("full_date", DATE, "The day."),
        Column("year_number", INT, "Calendar year."),
        Column("quarter_number", INT, "Quarter, 1 to 4."),
        Column("month_number", INT, "Month, 1 to 12."),
        Column("month_name", STRING, "English name of the month; 'Unknown' for key 0."),
        Column("week_of_year", INT, "ISO week, 1 to 53. Trap: 1 January may lie in week 53."),
        Column("day_of_month", INT, "Day, 1 to 31."),
        Column("day_of_week", INT, "ISO weekday, 1 is Monday, 7 is Sunday."),
        Column("day_name", STRING, "English name of the weekday; 'Unknown' for key 0."),
        Column("is_weekend", BOOLEAN, "Saturday or Sunday."),
    ),
)


def _dimension(name: str, subject: str, source: str, *more: Column) -> StarTable:
    """Declare a dimension whose key is source ordinal x 10^10 + natural id; 0 is Unknown."""
    key = _key(
        f"{name}_key",
        f"Surrogate key: source ordinal x 10^10 + {name}_id; 0 is Unknown. Stable over rebuilds.",
    )
    return StarTable(
        name=f"dim_{name}",
        grain=f"one row a {subject} ever seen, and key 0 for unknown",
        key=(key.name,),
        sort=(key.name,),
        columns=(
            key,
            Column(f"{name}_id", LONG, f"The source's id. Source: {source}.id. NULL for key 0."),
            Column(f"{name}_name", STRING, f"Name. Source: {source}.name. 'Unknown' for key 0."),
            Column(f"{name}_slug", STRING, f"Name in URLs. Source: {source}.slug."),
            *more,
        ),
    )


DIM_PLATFORM = _dimension(
    "platform",
    "platform",
    "platforms[].platform",
    Column("platform_family", STRING, "Parent platform's name, such as PlayStation."),
)
DIM_STORE = _dimension(
    "store",
    "store",
    "stores[].store",
    Column("store_domain", STRING, "Internet domain. Source: store.domain; browse listing only."),
)
DIM_GENRE = _dimension("genre", "genre", "genres[]")
DIM_TAG = _dimension(
    "tag",
    "tag",
    "tags[]",
    Column(
        "language_code",
        STRING,
        "Language of the tag, such as eng or rus. Source: tags[].language. Trap: twins of one "
        "tag in two languages, and Cyrillic names marked eng.",
    ),
)
DIM_ESRB_RATING = _dimension("esrb_rating", "age rating of the ESRB", "esrb_rating")


def _bridge(name: str, *more: Column) -> StarTable:
    """Declare a bridge: which games have which `name`; a game without any has no row."""
    key = _key(f"{name}_key", f"The {name}, see dim_{name}.")
    return StarTable(
        name=f"bridge_game_{name}",
        grain=f"one row a game and {name}. Trap: joining two bridges multiplies rows",
        key=("game_id", key.name),
        sort=("game_id", key.name),
        columns=(_GAME, key, *more),
    )


BRIDGE_GAME_PLATFORM = _bridge(
    "platform",
    Column("released_on", DATE, "Release on this platform. Source: released_at; browse only."),
)
BRIDGE_GAME_STORE = _bridge("store")
BRIDGE_GAME_GENRE = _bridge("genre")
BRIDGE_GAME_TAG = _bridge("tag")

TABLES: dict[str, StarTable] = {
    table.name: table
    for table in (
        DIM_DATE,
        DIM_PLATFORM,
        DIM_STORE,
        DIM_GENRE,
        DIM_TAG,
        DIM_ESRB_RATING,
        FACT_GAMES,
        FACT_GAME_HISTORY,
        FACT_SOURCE_YEARS,
        BRIDGE_GAME_PLATFORM,
        BRIDGE_GAME_STORE,
        BRIDGE_GAME_GENRE,
        BRIDGE_GAME_TAG,
    )
}
