"""Typed rows as raw tables: exactly the schema that etl reads."""

import types
import typing
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pytest
from game_rows import browse_game, filtered_game, results

from ingestion.game_payload import GamePayload
from ingestion.rows import BadRow, Lineage, games_table, quarantine_table, read_rows
from storage.raw_schema import GAME_FIELDS, RAW_GAMES, RAW_QUARANTINE

FIRST = Lineage(datetime(2026, 11, 21, 1, 2, 3, 4, tzinfo=UTC), "run-1", "browse", "window 1")
SECOND = Lineage(datetime(2026, 11, 21, 1, 2, 3, 5, tzinfo=UTC), "run-1", "filtered", "window 2")
ARROW = {int: pa.int64(), str: pa.string(), float: pa.float64(), bool: pa.bool_()}


def arrow_type(annotation: object) -> pa.DataType:
    """The Arrow type that a payload annotation stands for."""
    if typing.get_origin(annotation) is typing.Annotated:
        return arrow_type(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        parts = typing.get_args(annotation)
        return arrow_type(next(p for p in parts if p not in (type(None), msgspec.UnsetType)))
    if typing.get_origin(annotation) is list:
        return pa.list_(arrow_type(typing.get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        fields = msgspec.structs.fields(annotation)
        return pa.struct([(field.name, arrow_type(field.type)) for field in fields])
    return ARROW[annotation]  # type: ignore[index]


def in_order(kind: pa.DataType) -> pa.DataType:
    """The same type with the fields of every struct by name."""
    if pa.types.is_struct(kind):
        fields = sorted(kind, key=lambda field: field.name)
        return pa.struct([(field.name, in_order(field.type)) for field in fields])
    return pa.list_(in_order(kind.value_type)) if pa.types.is_list(kind) else kind


def test_the_payload_declares_what_the_raw_schema_declares():
    declared = pa.struct([(field.name, field.type) for field in GAME_FIELDS])

    assert in_order(arrow_type(GamePayload)) == in_order(declared)


def test_rows_of_both_listings_share_one_table():
    browse, slim = browse_game(3), filtered_game(browse_game(5))
    good, _ = read_rows(results(browse, slim))
    table = games_table(good, [FIRST, SECOND])
    first, second = table.to_pylist()

    assert table.schema.equals(RAW_GAMES)
    assert first["platforms"][0]["platform"]["year_start"] == 1985
    assert second["platforms"][0]["platform"] == dict.fromkeys(
        ("image", "year_end", "year_start", "games_count", "image_background")
    ) | {"id": 7, "name": "Nintendo Switch", "slug": "nintendo-switch"}
    assert second["esrb_rating"]["name_ru"] == "До 17 лет"
    assert first["added_by_status"] == dict.fromkeys(("beaten", "toplay", "dropped", "playing")) | {
        "owned": 10,
        "yet": 2,
    }
    assert first["_extra"] == '{"user_game":null,"clip":null}'
    assert second["_extra"] == '{"user_game":null,"clip":null,"score":null}'


def test_lineage_is_told_for_each_row():
    good, _ = read_rows(results(browse_game(1), browse_game(2)))
    table = games_table(good, [FIRST, SECOND]).select(
        ["_payload_hash", "_fetched_at", "_run_id", "_listing", "_window"]
    )

    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (good[0].payload_hash, FIRST.fetched_at, "run-1", "browse", "window 1"),
        (good[1].payload_hash, SECOND.fetched_at, "run-1", "filtered", "window 2"),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("added", 2**63 - 1),
        ("added", -(2**63)),
        ("rating", 1e308),
        ("rating", 5e-324),
        ("rating", 0.1 + 0.2),
        ("name", "a\x00b\n\r\u2028😀"),
        ("name", ""),
        ("genres", []),
        ("genres", None),
        ("released", "0001-01-01"),
    ],
)
def test_extreme_values_come_through_unchanged(name, value):
    good, _ = read_rows(results(browse_game(1, **{name: value})))

    assert games_table(good, [FIRST])[name].to_pylist() == [value]


def test_an_empty_shelf_is_not_a_missing_one():
    good, _ = read_rows(results(browse_game(1, added_by_status={}), browse_game(2) | {"tags": []}))
    table = games_table(good, [FIRST, FIRST])

    assert table["added_by_status"][0].is_valid
    assert table["tags"].to_pylist()[1] == []


def test_no_rows_make_an_empty_table():
    assert games_table([], []).schema.equals(RAW_GAMES)
    assert quarantine_table("games", [], []).schema.equals(RAW_QUARANTINE)


def test_refused_rows_are_kept_with_their_reason():
    bad = [BadRow("7", "no name", '{"id":7}'), BadRow(None, "no id", "{}")]
    table = quarantine_table("games", bad, [FIRST, SECOND])

    assert table.schema.equals(RAW_QUARANTINE)
    assert table.select(["entity", "natural_id", "reason", "payload"]).to_pylist() == [
        {"entity": "games", "natural_id": "7", "reason": "no name", "payload": '{"id":7}'},
        {"entity": "games", "natural_id": None, "reason": "no id", "payload": "{}"},
    ]
    assert table["_listing"].to_pylist() == ["browse", "filtered"]
