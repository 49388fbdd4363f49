"""Look-ups: typed rows, one hash for the whole, one table."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from game_rows import Row, named, results

from ingestion.json_slices import elements, members
from ingestion.lookups import Lookup, lookup_table, read_lookup
from ingestion.rows import Lineage
from storage.raw_schema import RAW_LOOKUP

ORIGIN = Lineage(datetime(2026, 11, 21, tzinfo=UTC), "run-1", "lookup", "stores")
STEAM = named(1, "Steam", domain="store.steampowered.com", games_count=5, games=[{"id": 9}])
GOG = named(5, "GOG", domain="gog.com", games_count=3, games=[])
FAMILY = named(2, "PlayStation", platforms=[named(18, "PS4", games_count=7), named(16, "PS3")])


def read(*rows: Row) -> Lookup:
    return read_lookup("stores", results(*rows))


def test_a_lookup_becomes_a_table_by_id():
    table = lookup_table(read(GOG, STEAM, FAMILY), ORIGIN)
    rows = table.to_pylist()

    assert table.schema.equals(RAW_LOOKUP)
    assert [(row["id"], row["domain"]) for row in rows] == [
        (1, "store.steampowered.com"),
        (2, None),
        (5, "gog.com"),
    ]
    assert rows[1]["platforms"] == [named(18, "PS4"), named(16, "PS3")]
    assert rows[0]["platforms"] is None
    assert json.loads(rows[0]["_extra"]) == {"games_count": 5, "games": [{"id": 9}]}
    assert json.loads(rows[1]["_extra"]) == {"/platforms/0/games_count": 7}


@pytest.mark.parametrize(
    "rows",
    [
        [GOG, STEAM],
        [STEAM | {"games_count": 6, "games": []}, GOG],
        [STEAM | {"image_background": "x"}, GOG | {"platforms": []}],
    ],
)
def test_what_drifts_is_no_change(rows):
    assert read(*rows).payload_hash == read(STEAM, GOG).payload_hash


@pytest.mark.parametrize(
    "rows",
    [[STEAM], [STEAM, GOG, FAMILY], [STEAM | {"name": "steam"}, GOG], [STEAM, GOG | {"id": 6}]],
)
def test_what_is_said_is_a_change(rows):
    assert read(*rows).payload_hash != read(STEAM, GOG).payload_hash


def test_platforms_of_a_family_have_no_order():
    other = FAMILY | {"platforms": list(reversed(FAMILY["platforms"]))}

    assert read(other).payload_hash == read(FAMILY).payload_hash


@pytest.mark.parametrize(
    "row",
    [
        None,
        5,
        {},
        {"id": 0},
        STEAM | {"id": "1"},
        STEAM | {"name": None},
        FAMILY | {"platforms": [1]},
    ],
)
def test_a_bad_row_is_kept_apart(row):
    lookup = read(GOG, row)

    assert [one.natural_id for one in lookup.rows] == [5]
    assert [json.loads(one.payload) for one in lookup.bad] == [row]


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("name", "rows"), [("platforms", 50), ("parent-platforms", 14), ("stores", 10), ("genres", 19)]
)
def test_recorded_lookups_are_accepted(recorded_data: Path, name, rows):
    page = json.loads((recorded_data / "rawg" / "lookups" / f"{name}.json").read_text())
    lookup = read_lookup(name, results(*page["results"]))

    assert lookup.bad == ()
    assert lookup_table(lookup, ORIGIN).num_rows == len(lookup.rows) == rows


HALF = rb'"\ud83d"'


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"[]", []),
        (b" [ ] ", []),
        (b'[1, "a,]" ,{"b":[2]}]', [b"1", b'"a,]"', b'{"b":[2]}']),
        (b"[ %s , 2]" % HALF, [HALF, b"2"]),
        (b'["\\\\\\"", %s]' % HALF, [b'"\\\\\\""', HALF]),
        (b'["\xff"]', [b'"\xff"']),
        (b"[%s, [[]], {}]" % HALF, [HALF, b"[[]]", b"{}"]),
    ],
)
def test_arrays_are_cut_into_what_was_sent(text, parts):
    assert elements(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"{}", {}),
        (b'{"a":1.50, "b" : [1, 2]}', {"a": b"1.50", "b": b"[1, 2]"}),
        (b'{"a": %s, "c":{"d":"}"}}' % HALF, {"a": HALF, "c": b'{"d":"}"}'}),
        (b'{%s: 1, "a:b": ":"}' % HALF, {"\ud83d": b"1", "a:b": b'":"'}),
        (b'{"a":1,"a":2,"x":%s}' % HALF, {"a": b"2", "x": HALF}),
    ],
)
def test_objects_are_cut_into_what_was_sent(text, parts):
    assert members(text) == parts


@pytest.mark.parametrize(
    "text", [b"", b"[", b'["a', b"[1]x", b"[1]]", b'{"a":[}', b"{1:2}", b'{"a"}', b"nul", b'"\xff"']
)
def test_what_cannot_be_cut_is_refused(text):
    for cut in (elements, members):
        with pytest.raises(ValueError, match=r".+"):
            cut(text)
