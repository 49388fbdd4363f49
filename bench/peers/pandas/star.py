"""The star in plain pandas, as one writes it without knowing more: explode, group, merge.

Run as `python star.py raw RAW OUT` (the parquet parts that gamelake stored) or
`python star.py pages BASE_URL KEY PAGES OUT` (fetch, parse and build). Prints
`{"seconds": ..., "games": ...}`, imports left out. No checks, no catalog, nothing incremental.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import requests

WORKERS = 4
PAGE_SIZE = 40
KEYS_PER_SOURCE = 10**10
SHELVES = ("yet", "owned", "beaten", "toplay", "dropped", "playing")
VOTES = {"exceptional": 5, "recommended": 4, "meh": 3, "skip": 1}
COUNTS = ("ratings_count", "reviews_count", "reviews_text_count", "suggestions_count")
FIELDS = (
    *("id", "slug", "name", "released", "tba", "background_image", "rating", "rating_top"),
    *("ratings", "added", "added_by_status", "metacritic", "playtime", "updated", *COUNTS),
    *("platforms", "genres", "stores", "tags", "esrb_rating", "short_screenshots"),
)
LINEAGE = ("_fetched_at", "_payload_hash", "_run_id")

_local = threading.local()


def from_raw(raw: Path) -> pd.DataFrame:
    """Return the latest version of each game of the stored parts."""
    parts = sorted(raw.glob("rawg/games/*/*.parquet"))
    games = pd.concat([pd.read_parquet(p, columns=[*FIELDS, *LINEAGE]) for p in parts])
    return games.sort_values("_fetched_at").drop_duplicates("id", keep="last")


def from_pages(base_url: str, key: str, pages: int) -> pd.DataFrame:
    """Fetch the listing and return its games."""
    with ThreadPoolExecutor(WORKERS) as pool:
        found = pool.map(lambda page: _fetch(f"{base_url}/games", key, page), range(1, pages + 1))
        games = pd.DataFrame([game for page in found for game in page])
    games = games.drop_duplicates("id", keep="last")
    return games.assign(_fetched_at=pd.Timestamp.now("UTC"), _payload_hash="", _run_id="pandas")


def _fetch(url: str, key: str, page: int) -> list[dict[str, Any]]:
    session = getattr(_local, "session", None)
    if session is None:
        session = _local.session = requests.Session()
    params: dict[str, str | int] = {"page": page, "page_size": PAGE_SIZE, "ordering": "created"}
    response = session.get(url, params={**params, "key": key}, timeout=30)
    response.raise_for_status()
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def write_star(games: pd.DataFrame, out: Path) -> None:
    """Write every table as `out/<table>.parquet`."""
    out.mkdir(parents=True, exist_ok=True)
    tables = {
        "fact_games": fact(games),
        "fact_game_history": history(games),
        "dim_date": dates(games),
    }
    for name in ("platform", "store", "genre", "tag"):
        entries = exploded(games, name)
        tables[f"dim_{name}"] = dimension(entries, name)
        tables[f"bridge_game_{name}"] = bridge(entries, name)
    ratings = games["esrb_rating"].dropna()
    listed = pd.DataFrame([*ratings], columns=["id", "name", "slug"])
    tables["dim_esrb_rating"] = dimension(listed, "esrb_rating")
    for name, table in tables.items():
        table.sort_values(list(table.columns[:1])).to_parquet(
            out / f"{name}.parquet", index=False, compression="zstd"
        )


def fact(games: pd.DataFrame) -> pd.DataFrame:
    """One row a game."""
    released = pd.to_datetime(games["released"], errors="coerce")
    updated = pd.to_datetime(games["updated"], errors="coerce")
    table = pd.DataFrame(
        {
            "game_id": games["id"],
            "slug": games["slug"],
            "name": games["name"],
            "release_date_key": _day_key(released),
            "updated_date_key": _day_key(updated),
            "esrb_rating_key": games["esrb_rating"].map(lambda e: _key(e["id"]) if e else 0),
            "released_on": released.dt.date,
            "is_tba": games["tba"],
            "rating": games["rating"],
            "rating_top": games["rating_top"],
            **{name: games[name].fillna(0).astype("int64") for name in COUNTS},
            "added_count": games["added"].fillna(0).astype("int64"),
            "metacritic_score": games["metacritic"],
            "playtime_hours": games["playtime"],
            "background_image_url": games["background_image"],
            "source_updated_at": updated,
            "source_code": "rawg",
            "run_id": games["_run_id"],
            "payload_hash": games["_payload_hash"],
        }
    )
    for name, ident in VOTES.items():
        table[f"ratings_{name}"] = games["ratings"].map(lambda votes, i=ident: _votes(votes, i))
    for name in SHELVES:
        table[f"added_{name}"] = games["added_by_status"].map(
            lambda shelf, n=name: (shelf.get(n) or 0) if shelf else 0
        )
    table["screenshots_count"] = games["short_screenshots"].map(_shots)
    return table


def history(games: pd.DataFrame) -> pd.DataFrame:
    """One row a game: each was seen once."""
    return pd.DataFrame(
        {
            "game_id": games["id"],
            "observed_at": games["_fetched_at"],
            "source_updated_at": pd.to_datetime(games["updated"], errors="coerce"),
            "rating": games["rating"],
            "ratings_count": games["ratings_count"].fillna(0).astype("int64"),
            "added_count": games["added"].fillna(0).astype("int64"),
            "metacritic_score": games["metacritic"],
            "playtime_hours": games["playtime"],
            "payload_hash": games["_payload_hash"],
            "run_id": games["_run_id"],
        }
    )


def dates(games: pd.DataFrame) -> pd.DataFrame:
    """Every day of the years used."""
    released = pd.to_datetime(games["released"], errors="coerce").dropna()
    days = pd.Series(pd.date_range(f"{released.min().year}-01-01", f"{released.max().year}-12-31"))
    return pd.DataFrame(
        {
            "date_key": _day_key(days),
            "full_date": days.dt.date,
            "year_number": days.dt.year,
            "quarter_number": days.dt.quarter,
            "month_number": days.dt.month,
            "month_name": days.dt.month_name(),
            "week_of_year": days.dt.isocalendar().week,
            "day_of_month": days.dt.day,
            "day_of_week": days.dt.day_of_week + 1,
            "day_name": days.dt.day_name(),
            "is_weekend": days.dt.day_of_week >= 5,
        }
    )


def exploded(games: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row a game and entry of its list `<name>s`: game_id, id, name, slug, and the extras."""
    rows = games[["id", f"{name}s"]].explode(f"{name}s").dropna()
    entries = rows[f"{name}s"]
    members = [entry[name] for entry in entries] if name in ("platform", "store") else [*entries]
    table = pd.DataFrame(
        {
            "game_id": rows["id"].to_numpy(),
            **{field: [m.get(field) for m in members] for field in ("id", "name", "slug")},
        }
    )
    if name == "platform":
        table["released_on"] = pd.to_datetime([e.get("released_at") for e in entries]).date
    if name == "store":
        table["store_domain"] = [m.get("domain") for m in members]
    if name == "tag":
        table["language_code"] = [m.get("language") for m in members]
    return table


def dimension(entries: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row a member."""
    extra = [c for c in ("store_domain", "language_code") if c in entries]
    members = entries.drop_duplicates("id", keep="last")[["id", "name", "slug", *extra]]
    members = members.rename(columns={c: f"{name}_{c}" for c in ("id", "name", "slug")})
    return members.assign(**{f"{name}_key": _key(members[f"{name}_id"])})


def bridge(entries: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row a game and member."""
    extra = [c for c in ("released_on",) if c in entries]
    pairs = entries[["game_id", "id", *extra]].drop_duplicates(["game_id", "id"])
    return pairs.assign(**{f"{name}_key": _key(pairs["id"])}).drop(columns="id")


def _key(natural: Any) -> Any:
    return natural + KEYS_PER_SOURCE


def _day_key(days: Any) -> Any:
    number = days.dt.year * 10_000 + days.dt.month * 100 + days.dt.day
    return number.fillna(0).astype("int64")


def _votes(votes: Any, ident: int) -> int:
    if votes is None:
        return 0
    return max((vote["count"] for vote in votes if vote["id"] == ident), default=0)


def _shots(shots: Any) -> int:
    return 0 if shots is None else sum(shot["id"] != -1 for shot in shots)


if __name__ == "__main__":
    start = time.perf_counter()
    if sys.argv[1] == "raw":
        frame, target = from_raw(Path(sys.argv[2])), sys.argv[3]
    else:
        frame, target = from_pages(sys.argv[2], sys.argv[3], int(sys.argv[4])), sys.argv[5]
    write_star(frame, Path(target))
    print(json.dumps({"seconds": time.perf_counter() - start, "games": len(frame)}))
