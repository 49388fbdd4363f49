"""The floor of an ingest: `requests` fetches the same pages and parses them, storing nothing.

Run as `python -m bench.ingest_floor BASE_URL KEY WORKERS PAGES_FILE`, where the file holds a JSON
list of query strings; prints `{"seconds", "pages", "games"}`.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import requests

_local = threading.local()


def _fetch(url: str) -> int:
    session = getattr(_local, "session", None)
    if session is None:
        session = _local.session = requests.Session()
    response = session.get(url, timeout=30)
    response.raise_for_status()
    return len(msgspec.json.decode(response.content)["results"])


def crawl(base_url: str, key: str, workers: int, pages: list[str]) -> dict[str, float]:
    """Fetch and parse `pages` with `workers` threads; returns seconds, pages and games."""
    start = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        games = sum(pool.map(lambda page: _fetch(f"{base_url}/games?{page}&key={key}"), pages))
    return {"seconds": time.perf_counter() - start, "pages": len(pages), "games": games}


if __name__ == "__main__":
    wanted = json.loads(Path(sys.argv[4]).read_text())
    print(json.dumps(crawl(sys.argv[1], sys.argv[2], int(sys.argv[3]), wanted)))
