"""The floor of an etl: DuckDB alone reads the raw parts and writes the star as plain parquet.

No versions, no carried-over fields, no checks, no catalog: the tables of DESIGN section 6 as they
follow from raw that holds every game once (after a first ingest; anything else is refused), but
for the few rows of fact_source_years. Run
as `python -m bench.etl_floor RAW OUT`; prints `{"seconds": ..., "rows": ...}` with start-up
(import, opening the engine) left out.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

LATEST = """
CREATE TEMP VIEW latest AS
SELECT * FROM read_parquet('{raw}/rawg/games/*/*.parquet')
"""
VERSIONS = "SELECT count(*) - count(DISTINCT id) FROM latest"

_KEY = "10000000000 + "

_BRIDGE = (
    "SELECT id AS game_id, {key}{item}.id AS {name}_key{more} "
    "FROM (SELECT id, unnest({column}) AS item FROM latest)"
)
_DIMENSION = (
    "SELECT {key}item.id AS {name}_key, item.id AS {name}_id, any_value(item.name) AS {name}_name, "
    "any_value(item.slug) AS {name}_slug{more} FROM (SELECT unnest({column}) AS item FROM latest) "
    "GROUP BY item.id"
)

FACT = """
SELECT id AS game_id, slug, name,
  coalesce(CAST(strftime(CAST(released AS DATE), '%Y%m%d') AS BIGINT), 0) AS release_date_key,
  CAST(strftime(CAST(updated AS TIMESTAMP), '%Y%m%d') AS BIGINT) AS updated_date_key,
  CASE WHEN esrb_rating IS NULL THEN 0 ELSE 10000000000 + esrb_rating.id END AS esrb_rating_key,
  CAST(released AS DATE) AS released_on, tba AS is_tba, rating, rating_top, ratings_count,
  reviews_count, reviews_text_count,
  list_sum([r.count FOR r IN ratings IF r.id = 5]) AS ratings_exceptional,
  list_sum([r.count FOR r IN ratings IF r.id = 4]) AS ratings_recommended,
  list_sum([r.count FOR r IN ratings IF r.id = 3]) AS ratings_meh,
  list_sum([r.count FOR r IN ratings IF r.id = 1]) AS ratings_skip,
  added AS added_count, added_by_status.yet AS added_yet, added_by_status.owned AS added_owned,
  added_by_status.beaten AS added_beaten, added_by_status.toplay AS added_toplay,
  added_by_status.dropped AS added_dropped, added_by_status.playing AS added_playing,
  metacritic AS metacritic_score, playtime AS playtime_hours, suggestions_count,
  len([s FOR s IN short_screenshots IF s.id <> -1]) AS screenshots_count,
  background_image AS background_image_url, CAST(updated AS TIMESTAMP) AS source_updated_at,
  'rawg' AS source_code, _run_id AS run_id, _payload_hash AS payload_hash
FROM latest
"""

HISTORY = """
SELECT id AS game_id, _fetched_at AS observed_at, CAST(updated AS TIMESTAMP) AS source_updated_at,
  rating, ratings_count, added AS added_count, metacritic AS metacritic_score,
  playtime AS playtime_hours, _payload_hash AS payload_hash, _run_id AS run_id
FROM latest
"""

DATES = """
SELECT CAST(strftime(d, '%Y%m%d') AS BIGINT) AS date_key, CAST(d AS DATE) AS full_date,
  year(d) AS year_number, quarter(d) AS quarter_number, month(d) AS month_number,
  monthname(d) AS month_name, week(d) AS week_of_year, day(d) AS day_of_month,
  isodow(d) AS day_of_week, dayname(d) AS day_name, isodow(d) > 5 AS is_weekend
FROM (SELECT unnest(generate_series(
  make_date(year(min(CAST(released AS DATE)))::INT, 1, 1)::TIMESTAMP,
  make_date(year(max(CAST(released AS DATE)))::INT, 12, 31)::TIMESTAMP, INTERVAL 1 DAY)) AS d
  FROM latest)
"""


def _bridge(name: str, *, nested: bool, more: str = "") -> str:
    item = f"item.{name}" if nested else "item"
    return _BRIDGE.format(key=_KEY, item=item, name=name, more=more, column=f"{name}s")


def _dimension(name: str, *, nested: bool, more: str = "") -> str:
    column = f"[p.{name} FOR p IN {name}s]" if nested else f"{name}s"
    return _DIMENSION.format(key=_KEY, name=name, column=column, more=more)


TABLES = {
    "fact_games": FACT,
    "fact_game_history": HISTORY,
    "dim_date": DATES,
    "dim_platform": _dimension("platform", nested=True),
    "dim_store": _dimension("store", nested=True, more=", any_value(item.domain) AS store_domain"),
    "dim_genre": _dimension("genre", nested=False),
    "dim_tag": _dimension("tag", nested=False, more=", any_value(item.language) AS language_code"),
    "dim_esrb_rating": _DIMENSION.format(
        key=_KEY, name="esrb_rating", column="[esrb_rating]", more=""
    ),
    "bridge_game_platform": _bridge(
        "platform", nested=True, more=", CAST(item.released_at AS DATE) AS released_on"
    ),
    "bridge_game_store": _bridge("store", nested=True),
    "bridge_game_genre": _bridge("genre", nested=False),
    "bridge_game_tag": _bridge("tag", nested=False),
}


def build(raw: Path, out: Path) -> dict[str, float]:
    """Write every table as `out/<table>.parquet`; returns seconds and rows written."""
    out.mkdir(parents=True, exist_ok=True)
    rows = 0
    with duckdb.connect() as connection:
        connection.execute("SELECT 1")
        connection.execute(LATEST.format(raw=raw))
        if connection.execute(VERSIONS).fetchone() != (0,):
            raise ValueError(
                f"{raw} holds several versions of a game: the floor has no rule for it"
            )
        start = time.perf_counter()
        for name, query in TABLES.items():
            target = out / f"{name}.parquet"
            copied = connection.execute(f"COPY ({query}) TO '{target}' (COMPRESSION zstd)")
            rows += copied.fetchone()[0]  # type: ignore[index]
        return {"seconds": time.perf_counter() - start, "rows": rows}


if __name__ == "__main__":
    print(json.dumps(build(Path(sys.argv[1]), Path(sys.argv[2]))))
