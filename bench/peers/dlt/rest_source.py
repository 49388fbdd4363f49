"""dlt's own REST source over the games listing, to parquet, DuckDB or Iceberg.

Run as `python rest_source.py BASE_URL KEY PAGES OUT TARGET {defaults,tuned}`; prints
`{"seconds": ..., "games": ...}`, imports left out.

defaults: one resource, as in dlt's documentation; nested lists become child tables.
tuned: pages in WORKERS parallel resources, WORKERS processes to normalize files of a few thousand
rows, every column declared, lists kept as JSON (so no child tables and no row ids of theirs),
statistics of the runtime off. What a user gets who knows dlt well and gives its comforts up.
"""

import json
import os
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

WORKERS = 4
PAGE_SIZE = 40
TARGETS = ("parquet", "duckdb", "iceberg")

COLUMNS = {
    **dict.fromkeys(("slug", "name", "released", "background_image", "updated"), "text"),
    **dict.fromkeys(("saturated_color", "dominant_color"), "text"),
    **dict.fromkeys(("id", "rating_top", "ratings_count", "reviews_text_count"), "bigint"),
    **dict.fromkeys(("added", "metacritic", "playtime", "suggestions_count"), "bigint"),
    "reviews_count": "bigint",
    **dict.fromkeys(("rating", "community_rating"), "double"),
    "tba": "bool",
    **dict.fromkeys(("ratings", "added_by_status", "platforms", "parent_platforms"), "json"),
    **dict.fromkeys(("genres", "stores", "tags", "esrb_rating", "short_screenshots"), "json"),
    **dict.fromkeys(("clip", "user_game"), "json"),
}
TUNED = {
    "EXTRACT__WORKERS": str(WORKERS),
    "NORMALIZE__WORKERS": str(WORKERS),
    "LOAD__WORKERS": str(WORKERS),
    "DATA_WRITER__BUFFER_MAX_ITEMS": "5000",
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "5000",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}


def run(base_url: str, key: str, pages: int, out: Path, *, target: str, tuned: bool) -> int:
    """Fetch pages 1 to `pages` and load them below `out`; returns the number of games."""
    shares = _shares(pages, WORKERS if tuned else 1)
    resources = [
        _resource(f"games_{number}" if number else "games", share, target, tuned=tuned)
        for number, share in enumerate(shares)
    ]
    source = rest_api_source(
        {
            "client": {"base_url": base_url},
            "resource_defaults": {"endpoint": {"params": {"key": key, "page_size": PAGE_SIZE}}},
            "resources": resources,
        },
        name="rawg",
        max_table_nesting=0 if tuned else None,
        parallelized=tuned,
    )
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(out / "pipelines"),
        dataset_name="rawg",
        destination=_destination(target, out),
    )
    # DuckDB's own default is INSERT statements; a tuned load goes by parquet, like the others
    by_insert = target == "duckdb" and not tuned
    info = pipeline.run(source, loader_file_format=None if by_insert else "parquet")
    info.raise_on_failed_jobs()
    rows = pipeline.last_trace.last_normalize_info.row_counts
    return int(rows["games"])


def _shares(pages: int, parts: int) -> list[range]:
    ends = [pages * number // parts for number in range(parts + 1)]
    return [range(a + 1, b + 1) for a, b in pairwise(ends) if b > a]


def _resource(name: str, pages: range, target: str, *, tuned: bool) -> dict[str, Any]:
    declared = {"columns": {column: {"data_type": kind} for column, kind in COLUMNS.items()}}
    return {
        "name": name,
        "table_name": "games",
        "write_disposition": "append",
        **({"table_format": "iceberg"} if target == "iceberg" else {}),
        **(declared if tuned else {}),
        "endpoint": {
            "path": "games",
            "params": {"ordering": "created"},
            "data_selector": "results",
            "paginator": {
                "type": "page_number",
                "base_page": 1,
                "page": pages.start,
                "page_param": "page",
                "total_path": None,
                "maximum_page": pages.stop,
            },
        },
    }


def _destination(target: str, out: Path) -> Any:
    if target == "duckdb":
        return dlt.destinations.duckdb(str(out / "games.duckdb"))
    return dlt.destinations.filesystem(bucket_url=(out / target).absolute().as_uri())


if __name__ == "__main__":
    base, secret, count, folder, where, how = sys.argv[1:7]
    os.environ.update(TUNED if how == "tuned" else {"RUNTIME__DLTHUB_TELEMETRY": "false"})
    start = time.perf_counter()
    found = run(base, secret, int(count), Path(folder), target=where, tuned=how == "tuned")
    print(json.dumps({"seconds": time.perf_counter() - start, "games": found}))
