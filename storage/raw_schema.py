"""The columns of raw parts: what ingestion writes and etl reads.

Declared fields are typed and nested as RAWG nests them (contracts: both listing shapes); every
other field stays verbatim in `_extra` as JSON. Dates and times stay the text the source sent.
"""

import pyarrow as pa

_named = [("id", pa.int64()), ("name", pa.string()), ("slug", pa.string())]
_drifting = [("games_count", pa.int64()), ("image_background", pa.string())]
_requirements = pa.struct([("minimum", pa.string()), ("recommended", pa.string())])

RATING = pa.struct(
    [("id", pa.int64()), ("title", pa.string()), ("count", pa.int64()), ("percent", pa.float64())]
)
STATUS = pa.struct(
    [(name, pa.int64()) for name in ("yet", "owned", "beaten", "toplay", "dropped", "playing")]
)
PLATFORM = pa.struct(
    [
        *_named,
        ("image", pa.string()),
        ("year_end", pa.int64()),
        ("year_start", pa.int64()),
        *_drifting,
    ]
)
GAME_PLATFORM = pa.struct(
    [
        ("platform", PLATFORM),
        ("released_at", pa.string()),
        ("requirements_en", _requirements),
        ("requirements_ru", _requirements),
    ]
)
GAME_STORE = pa.struct(
    [
        ("id", pa.int64()),
        ("store", pa.struct([*_named, ("domain", pa.string()), *_drifting])),
    ]
)

GAME_FIELDS = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        ("slug", pa.string()),
        ("name", pa.string()),
        ("released", pa.string()),
        ("tba", pa.bool_()),
        ("background_image", pa.string()),
        ("rating", pa.float64()),
        ("rating_top", pa.int64()),
        ("ratings", pa.list_(RATING)),
        ("ratings_count", pa.int64()),
        ("reviews_text_count", pa.int64()),
        ("added", pa.int64()),
        ("added_by_status", STATUS),
        ("metacritic", pa.int64()),
        ("playtime", pa.int64()),
        ("suggestions_count", pa.int64()),
        ("updated", pa.string()),
        ("reviews_count", pa.int64()),
        ("community_rating", pa.float64()),
        ("saturated_color", pa.string()),
        ("dominant_color", pa.string()),
        ("platforms", pa.list_(GAME_PLATFORM)),
        ("parent_platforms", pa.list_(pa.struct([("platform", pa.struct(_named))]))),
        ("genres", pa.list_(pa.struct([*_named, *_drifting]))),
        ("stores", pa.list_(GAME_STORE)),
        ("tags", pa.list_(pa.struct([*_named, ("language", pa.string()), *_drifting]))),
        (
            "esrb_rating",
            pa.struct([*_named, ("name_en", pa.string()), ("name_ru", pa.string())]),
        ),
        ("short_screenshots", pa.list_(pa.struct([("id", pa.int64()), ("image", pa.string())]))),
    ]
)

# Look-ups (platforms, parent_platforms, stores, genres) share one shape.
LOOKUP_FIELDS = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        ("name", pa.string()),
        ("slug", pa.string()),
        ("domain", pa.string()),
        ("platforms", pa.list_(pa.struct(_named))),
    ]
)

LINEAGE_FIELDS = pa.schema(
    [
        ("_extra", pa.string()),
        ("_payload_hash", pa.string()),
        ("_fetched_at", pa.timestamp("us", tz="UTC")),
        ("_run_id", pa.string()),
        ("_listing", pa.string()),
        ("_window", pa.string()),
    ]
)

_ORIGIN = [LINEAGE_FIELDS.field(i) for i in range(2, 6)]

RAW_GAMES = pa.schema([*GAME_FIELDS, *LINEAGE_FIELDS])
RAW_LOOKUP = pa.schema([*LOOKUP_FIELDS, *LINEAGE_FIELDS])
# What the source says of itself: how many games it has of each release year; NULL: of no year.
RAW_YEAR_COUNTS = pa.schema(
    [
        ("release_year", pa.int64()),
        pa.field("source_games", pa.int64(), nullable=False),
        *_ORIGIN,
    ]
)
RAW_QUARANTINE = pa.schema(
    [
        ("entity", pa.string()),
        ("natural_id", pa.string()),
        ("reason", pa.string()),
        ("payload", pa.string()),
        *_ORIGIN,
    ]
)
