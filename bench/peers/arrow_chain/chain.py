"""Pages to published Iceberg tables by hand: urllib3, pyarrow.json, DuckDB, pyiceberg.

Run as `python chain.py BASE_URL KEY PAGES OUT`; prints `{"seconds": ..., "games": ...}`, imports
left out. The fastest way we know; it keeps no raw, no ledger, no checkpoints and no versions,
checks nothing, publishes table by table, and begins anew after every error.
"""

import io
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import urllib3
from pyiceberg.catalog.sql import SqlCatalog

WORKERS = 4
PAGE_SIZE = 40
PAGES_AT_ONCE = 64

_named = [("id", pa.int64()), ("name", pa.string()), ("slug", pa.string())]
_shelves = [(n, pa.int64()) for n in ("yet", "owned", "beaten", "toplay", "dropped", "playing")]
_store = pa.struct([*_named, ("domain", pa.string())])
_vote = pa.struct([("id", pa.int64()), ("count", pa.int64())])
GAME = pa.struct(
    [
        *_named,
        *[(name, pa.string()) for name in ("released", "updated", "background_image")],
        ("tba", pa.bool_()),
        ("rating", pa.float64()),
        *[(name, pa.int64()) for name in ("rating_top", "ratings_count", "reviews_count")],
        *[(name, pa.int64()) for name in ("reviews_text_count", "suggestions_count", "added")],
        *[(name, pa.int64()) for name in ("metacritic", "playtime")],
        ("ratings", pa.list_(_vote)),
        ("added_by_status", pa.struct(_shelves)),
        (
            "platforms",
            pa.list_(
                pa.struct([("platform", pa.struct(_named)), ("released_at", pa.string())]),
            ),
        ),
        ("stores", pa.list_(pa.struct([("store", _store)]))),
        ("genres", pa.list_(pa.struct(_named))),
        ("tags", pa.list_(pa.struct([*_named, ("language", pa.string())]))),
        ("esrb_rating", pa.struct(_named)),
        ("short_screenshots", pa.list_(pa.struct([("id", pa.int64())]))),
    ]
)
PAGE = pj.ParseOptions(
    explicit_schema=pa.schema([("results", pa.list_(GAME))]), unexpected_field_behavior="ignore"
)

KEY = "10000000000 + "
FACT = """
SELECT id AS game_id, slug, name,
  coalesce(CAST(strftime(CAST(released AS DATE), '%Y%m%d') AS BIGINT), 0) AS release_date_key,
  CAST(strftime(CAST(updated AS TIMESTAMP), '%Y%m%d') AS BIGINT) AS updated_date_key,
  CASE WHEN esrb_rating IS NULL THEN 0 ELSE 10000000000 + esrb_rating.id END AS esrb_rating_key,
  CAST(released AS DATE) AS released_on, tba AS is_tba, rating, rating_top, ratings_count,
  reviews_count, reviews_text_count,
  list_sum([r.count FOR r IN ratings IF r.id = 5])::BIGINT AS ratings_exceptional,
  list_sum([r.count FOR r IN ratings IF r.id = 4])::BIGINT AS ratings_recommended,
  list_sum([r.count FOR r IN ratings IF r.id = 3])::BIGINT AS ratings_meh,
  list_sum([r.count FOR r IN ratings IF r.id = 1])::BIGINT AS ratings_skip,
  added AS added_count, added_by_status.yet AS added_yet, added_by_status.owned AS added_owned,
  added_by_status.beaten AS added_beaten, added_by_status.toplay AS added_toplay,
  added_by_status.dropped AS added_dropped, added_by_status.playing AS added_playing,
  metacritic AS metacritic_score, playtime AS playtime_hours, suggestions_count,
  len([s FOR s IN short_screenshots IF s.id <> -1]) AS screenshots_count,
  background_image AS background_image_url, CAST(updated AS TIMESTAMP) AS source_updated_at,
  'rawg' AS source_code
FROM games
"""
HISTORY = """
SELECT id AS game_id, now()::TIMESTAMP AS observed_at, CAST(updated AS TIMESTAMP) AS
  source_updated_at, rating, ratings_count, added AS added_count, metacritic AS metacritic_score,
  playtime AS playtime_hours FROM games
"""
DATES = """
SELECT CAST(strftime(d, '%Y%m%d') AS BIGINT) AS date_key, CAST(d AS DATE) AS full_date,
  year(d) AS year_number, quarter(d) AS quarter_number, month(d) AS month_number,
  monthname(d) AS month_name, week(d) AS week_of_year, day(d) AS day_of_month,
  isodow(d) AS day_of_week, dayname(d) AS day_name, isodow(d) > 5 AS is_weekend
FROM (SELECT unnest(generate_series(
  make_date(year(min(CAST(released AS DATE)))::INT, 1, 1)::TIMESTAMP,
  make_date(year(max(CAST(released AS DATE)))::INT, 12, 31)::TIMESTAMP, INTERVAL 1 DAY)) AS d
  FROM games)
"""
BRIDGE = """
SELECT game_id, {key}{item}.id AS {name}_key{more}
FROM (SELECT id AS game_id, unnest({name}s) AS item FROM games)
"""
DIMENSION = """
SELECT {key}item.id AS {name}_key, item.id AS {name}_id, any_value(item.name) AS {name}_name,
  any_value(item.slug) AS {name}_slug{more}
FROM (SELECT unnest({column}) AS item FROM games) GROUP BY item.id
"""

_local = threading.local()


def fetch(base_url: str, key: str, pages: int) -> pa.Table:
    """Return all games of pages 1 to `pages`, typed."""
    chunks = [
        range(a, min(a + PAGES_AT_ONCE, pages + 1)) for a in range(1, pages + 1, PAGES_AT_ONCE)
    ]
    with urllib3.PoolManager(maxsize=WORKERS) as http, ThreadPoolExecutor(WORKERS) as pool:
        return pa.concat_tables(pool.map(lambda chunk: _chunk(http, base_url, key, chunk), chunks))


def _chunk(http: urllib3.PoolManager, base_url: str, key: str, pages: range) -> pa.Table:
    address = f"{base_url}/games?key={key}&page_size={PAGE_SIZE}&ordering=created&page="
    bodies = [_body(http, f"{address}{page}") for page in pages]
    text = b"\n".join(bodies)
    found = pj.read_json(
        io.BytesIO(text),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(text)),
        parse_options=PAGE,
    )
    games = pc.list_flatten(found["results"]).combine_chunks()
    return pa.Table.from_struct_array(games)


def _body(http: urllib3.PoolManager, url: str) -> bytes:
    response = http.request("GET", url, timeout=30)
    if response.status != 200:
        raise RuntimeError(f"{url} answers {response.status}")
    return response.data


def star() -> dict[str, str]:
    """Return the query of each table, over the relation `games`."""
    tables = {"fact_games": FACT, "fact_game_history": HISTORY, "dim_date": DATES}
    extras = {"store": ", any_value(item.domain) AS store_domain"}
    extras["tag"] = ", any_value(item.language) AS language_code"
    for name in ("platform", "store", "genre", "tag"):
        nested = name in ("platform", "store")
        column = f"[p.{name} FOR p IN {name}s]" if nested else f"{name}s"
        released = ", CAST(item.released_at AS DATE) AS released_on" if name == "platform" else ""
        item = f"item.{name}" if nested else "item"
        tables[f"dim_{name}"] = DIMENSION.format(
            key=KEY, name=name, column=column, more=extras.get(name, "")
        )
        tables[f"bridge_game_{name}"] = BRIDGE.format(key=KEY, item=item, name=name, more=released)
    tables["dim_esrb_rating"] = DIMENSION.format(
        key=KEY, name="esrb_rating", column="[esrb_rating]", more=""
    )
    return tables


def publish(games: pa.Table, out: Path) -> None:
    """Write the star as Iceberg tables of a SQLite catalog below `out`."""
    out.mkdir(parents=True, exist_ok=True)
    catalog = SqlCatalog("hand", uri=f"sqlite:///{out}/catalog.db", warehouse=out.as_uri())
    catalog.create_namespace("rawg")
    with duckdb.connect() as connection:
        connection.register("games", games)
        for name, query in star().items():
            rows = connection.sql(query).to_arrow_table()
            catalog.create_table(f"rawg.{name}", rows.schema).append(rows)
    catalog.close()


if __name__ == "__main__":
    start = time.perf_counter()
    found = fetch(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    publish(found, Path(sys.argv[4]).absolute())
    print(json.dumps({"seconds": time.perf_counter() - start, "games": found.num_rows}))
