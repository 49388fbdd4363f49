"""Recorded pages as a source of any size: the same games again under other ids."""

import gzip
import json
from pathlib import Path

RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "rawg" / "pages"
_APART = 10_000_000  # ids of one copy; RAWG has under 2,000,000


def repeated(folder: Path, copies: int) -> Path:
    """Write every recorded page `copies` times below `folder`; return where to replay them from.

    The recording itself is the first copy; its look-ups are linked, its other versions left out.
    """
    pages = folder / "recorded" / "pages"
    pages.mkdir(parents=True, exist_ok=True)
    (pages.parent / "lookups").symlink_to(RECORDED.parent / "lookups")
    for path in sorted(RECORDED.glob("*.json.gz")):
        rows = json.loads(gzip.decompress(path.read_bytes()))["results"]
        for copy in range(copies):
            page = {"results": [_again(row, copy) for row in rows]}
            name = path.name.removesuffix(".json.gz")
            (pages / f"{name}-{copy}.json").write_text(json.dumps(page))
    return pages


def _again(row: dict[str, object], copy: int) -> dict[str, object]:
    if not copy:
        return row
    return {**row, "id": int(str(row["id"])) + copy * _APART, "slug": f"{row['slug']}-{copy}"}
