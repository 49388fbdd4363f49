"""Look-ups (platforms, parent platforms, stores, genres): rows, their hash, their raw table."""

from dataclasses import dataclass

import msgspec
import pyarrow as pa
from msgspec import Struct

from ingestion import json_slices, undeclared
from ingestion.game_payload import NaturalId
from ingestion.payload_hash import digest
from ingestion.rows import BadRow, Lineage, bad_row, json_table, lineage_columns
from storage.raw_schema import LOOKUP_FIELDS, RAW_LOOKUP

_DECLARED = undeclared.shape_of(LOOKUP_FIELDS)


@dataclass(frozen=True, slots=True)
class LookupRow:
    """One row; `payload` is JSON of the declared fields, `extra` of all others."""

    natural_id: int
    payload_hash: str
    payload: bytes
    extra: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """All rows of one look-up, by id; `payload_hash` is of the whole, free of drifting fields."""

    entity: str
    rows: tuple[LookupRow, ...]
    bad: tuple[BadRow, ...]
    payload_hash: str


class _Member(Struct):
    """A platform inside its family."""

    id: NaturalId
    name: str
    slug: str


class _Declared(Struct, omit_defaults=True):
    """The declared fields of every look-up, all of them hashed."""

    id: NaturalId
    name: str
    slug: str
    domain: str | None = None
    platforms: list[_Member] | None = None


_ROW = msgspec.json.Decoder(_Declared)
_encode = msgspec.json.Encoder().encode


def read_lookup(entity: str, results: bytes) -> Lookup:
    """Read what `RawgClient.lookup` returned; a row that cannot be typed ends in `bad`."""
    rows, bad = [], []
    for text in json_slices.elements(results):
        try:
            rows.append(_read_row(text))
        except (ValueError, RecursionError) as error:
            bad.append(bad_row(text, str(error)))
    rows.sort(key=lambda row: row.natural_id)
    whole = digest([row.payload_hash for row in rows])
    return Lookup(entity, tuple(rows), tuple(bad), whole)


def lookup_table(lookup: Lookup, lineage: Lineage) -> pa.Table:
    """Build a table of schema RAW_LOOKUP."""
    payload = json_table([row.payload for row in lookup.rows], LOOKUP_FIELDS)
    columns = {
        "_extra": pa.array([row.extra for row in lookup.rows], pa.string()),
        "_payload_hash": pa.array([row.payload_hash for row in lookup.rows], pa.string()),
        **lineage_columns([lineage] * len(lookup.rows)),
    }
    return pa.Table.from_arrays([*payload.columns, *columns.values()], schema=RAW_LOOKUP)


def _read_row(text: bytes) -> LookupRow:
    declared, extra = undeclared.split(text, _DECLARED)
    row = _ROW.decode(declared)
    payload = _encode(row)
    row.platforms = sorted(row.platforms or [], key=lambda platform: platform.id)
    return LookupRow(row.id, digest(row), payload, json_slices.joined(extra).decode())
