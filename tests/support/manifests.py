"""Manifests for tests, with every field that a test does not care about filled in."""

from dataclasses import replace
from typing import Any

from storage.raw_parts import Manifest, PageRef

_AT = "2026-11-21T01:52:00.000000+00:00"
_PLAIN = Manifest(
    source="rawg",
    entity="games",
    run_id="20261121t015200-000000",
    number=1,
    listing="browse",
    rows=1,
    new=1,
    changed=0,
    enriched=0,
    unchanged=0,
    quarantined=0,
    pages=(PageRef("2020-01", 1, 1, 1),),
    spool_segment="segment-1",
    first_fetched_at=_AT,
    last_fetched_at=_AT,
    sha256="",
    bytes=0,
)


def manifest(**fields: Any) -> Manifest:
    """Return a manifest of one page of one new row, but for `fields`."""
    return replace(_PLAIN, **fields)
