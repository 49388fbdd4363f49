"""Source rows in, typed rows and raw tables out (columns: storage.raw_schema).

A row that cannot be typed becomes a `BadRow` with the reason; no payload raises. So for every
page `len(good) + len(bad)` is the number of rows that it held.

Bad is a row that is no object, lacks id, slug, name or updated, has a value of a wrong type (a
float, bool or text is no integer; an integer is 64 bits at most, an id 1 to 10^10 - 1), a text
with half a surrogate pair, an `updated` that is not `YYYY-MM-DDTHH:MM:SS` or a `released` that is
neither null nor a date: everything that would stop or distort a table later. Of a repeated key the
last one counts.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import msgspec
import pyarrow as pa
import pyarrow.json as pa_json
from msgspec import Raw

from ingestion import json_slices, undeclared
from ingestion.game_payload import GamePayload
from ingestion.payload_hash import payload_hashes
from storage.raw_schema import GAME_FIELDS, RAW_GAMES, RAW_QUARANTINE

_ABSENT = Raw(b"")
_DECLARED = undeclared.shape_of(GAME_FIELDS)


@dataclass(frozen=True, slots=True)
class GameRow:
    """One valid game; `payload` is JSON of the declared fields, `extra` of all others."""

    natural_id: int
    updated: str
    payload_hash: str
    payload: bytes
    extra: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that cannot be typed; `natural_id` is its id as JSON text where it has one."""

    natural_id: str | None
    reason: str
    payload: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a row came from; share one instance for all rows of a page."""

    fetched_at: datetime  # aware, UTC
    run_id: str
    listing: str
    window: str


class _ListedGame(GamePayload):
    """A game with the undeclared fields that nearly every row carries, always null so far."""

    user_game: Raw = _ABSENT
    clip: Raw = _ABSENT
    score: Raw = _ABSENT


_PAGE = msgspec.json.Decoder(list[_ListedGame])
_GAME = msgspec.json.Decoder(_ListedGame)
_encode = msgspec.json.Encoder().encode


def read_rows(results: bytes) -> tuple[list[GameRow], list[BadRow]]:
    """Read a JSON array of games (`Page.results`); row order is kept in both lists.

    Raises ValueError only if `results` is no JSON array, which no `Page` holds.
    """
    try:
        return _read_clean_page(results), []
    except (ValueError, RecursionError):
        return _read_row_by_row(results)


def _read_clean_page(results: bytes) -> list[GameRow]:
    games = _PAGE.decode(results)
    return [
        _game_row(game, payload_hash)
        for game, payload_hash in zip(games, payload_hashes(results), strict=True)
    ]


def _read_row_by_row(results: bytes) -> tuple[list[GameRow], list[BadRow]]:
    good, bad = [], []
    for row in json_slices.elements(results):
        try:
            good.append(_read_row(row))
        except RecursionError:
            bad.append(bad_row(row, "nested too deeply"))
        except ValueError as error:
            bad.append(bad_row(row, str(error)))
    return good, bad


def _read_row(row: bytes) -> GameRow:
    extra = None
    try:
        game = _GAME.decode(row)
    except msgspec.ValidationError:
        row, found = undeclared.split(row, _DECLARED)
        game = _GAME.decode(row)
        extra = json_slices.joined(found).decode()
    return _game_row(game, payload_hashes(b"[" + row + b"]")[0], extra)


def _game_row(game: _ListedGame, payload_hash: str, extra: str | None = None) -> GameRow:
    _check_dates(game)
    if extra is None:
        extra = _always_null(bytes(game.user_game), bytes(game.clip), bytes(game.score))
    game.user_game = game.clip = game.score = _ABSENT
    return GameRow(game.id, game.updated, payload_hash, _encode(game), extra)


@functools.lru_cache(maxsize=64)
def _always_null(user_game: bytes, clip: bytes, score: bytes) -> str:
    fields = {"user_game": user_game, "clip": clip, "score": score}
    return json_slices.joined({k: v for k, v in fields.items() if v}).decode()


def _check_dates(game: _ListedGame) -> None:
    """Raise ValueError unless both texts are what their ISO form would be written as."""
    if datetime.fromisoformat(game.updated).isoformat(timespec="seconds") != game.updated:
        raise ValueError(f"updated is not YYYY-MM-DDTHH:MM:SS: {game.updated[:40]!r}")
    released = game.released
    if released is not None and date.fromisoformat(released).isoformat() != released:
        raise ValueError(f"released is not YYYY-MM-DD: {released[:40]!r}")


def bad_row(row: bytes, reason: str) -> BadRow:
    """Describe a refused row; its bytes that are no UTF-8 are shown as `\\xNN`."""
    try:
        natural_id = json_slices.members(row).get("id")
    except ValueError:
        natural_id = None
    return BadRow(None if natural_id is None else _shown(natural_id), reason, _shown(row))


def _shown(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def games_table(rows: Sequence[GameRow], lineage: Sequence[Lineage]) -> pa.Table:
    """Build a table of schema RAW_GAMES, one lineage for each row."""
    payload = json_table([row.payload for row in rows], GAME_FIELDS)
    columns = {
        "_extra": pa.array([row.extra for row in rows], pa.string()),
        "_payload_hash": pa.array([row.payload_hash for row in rows], pa.string()),
        **lineage_columns(lineage),
    }
    return pa.Table.from_arrays([*payload.columns, *columns.values()], schema=RAW_GAMES)


def quarantine_table(entity: str, rows: Sequence[BadRow], lineage: Sequence[Lineage]) -> pa.Table:
    """Build a table of schema RAW_QUARANTINE; an unreadable page is a BadRow with its excerpt."""
    columns = {
        "entity": pa.array([entity] * len(rows), pa.string()),
        "natural_id": pa.array([row.natural_id for row in rows], pa.string()),
        "reason": pa.array([row.reason for row in rows], pa.string()),
        "payload": pa.array([row.payload for row in rows], pa.string()),
        **lineage_columns(lineage),
    }
    return pa.Table.from_arrays(list(columns.values()), schema=RAW_QUARANTINE)


def json_table(lines: Sequence[bytes], schema: pa.Schema) -> pa.Table:
    """Parse JSON objects with exactly the columns of `schema`; what is absent is NULL."""
    if not lines:
        return schema.empty_table()
    text = b"\n".join(lines)
    # One block: an object that straddles two would be refused.
    return pa_json.read_json(
        pa.BufferReader(text),
        read_options=pa_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
        parse_options=pa_json.ParseOptions(
            explicit_schema=schema, unexpected_field_behavior="error"
        ),
    )


def lineage_columns(lineage: Sequence[Lineage]) -> dict[str, pa.Array]:
    """Return `_fetched_at`, `_run_id`, `_listing` and `_window`, one value a row."""
    stamps = pa.timestamp("us", tz="UTC")
    return {
        "_fetched_at": pa.array([origin.fetched_at for origin in lineage], stamps),
        "_run_id": pa.array([origin.run_id for origin in lineage], pa.string()),
        "_listing": pa.array([origin.listing for origin in lineage], pa.string()),
        "_window": pa.array([origin.window for origin in lineage], pa.string()),
    }
