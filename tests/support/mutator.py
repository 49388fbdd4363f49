"""Breaks JSON rows in every way that a source might, from a seed."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 7.0, -0.0, 1.5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1,
    2**64, 10**400, 1e308, 5e-324, float("nan"), float("inf"), "", "7", "\x00", "\ud800",
    "\udfff\ud800", "é\u2028\uffff😀", "x" * 5_000, "2026-07-01T10:20:30", "2026-13-01",
    "0000-00-00", "<b>&", '"', "\\", [], {}, [[]], [None], [{}], {"": None}, {"id": 1}, {"id": "1"},
    {"a": {"b": [1, {"c": "\ud83d"}]}}, [{"id": 1, "name": "n", "slug": "s"}],
    [{"platform": None}], {"minimum": 5}, [1] * 300,
]  # fmt: skip


def _nasty(dice: random.Random) -> Any:
    return copy.deepcopy(dice.choice(NASTY))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) below `value`."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [place for key, part in items for place in [(value, key), *_places(part)]]


def _set(dice: random.Random, row: Row) -> None:
    container, key = dice.choice(_places(row))
    container[key] = _nasty(dice)


def _drop(dice: random.Random, row: Row) -> None:
    container, key = dice.choice(_places(row))
    del container[key]


def _add(dice: random.Random, row: Row) -> None:
    containers = [row, *(c[k] for c, k in _places(row) if isinstance(c[k], (dict, list)))]
    container = dice.choice(containers)
    if isinstance(container, list):
        container.insert(dice.randint(0, len(container)), _nasty(dice))
    else:
        container[dice.choice(["new", "", "/", "a~/b", "\ud800", "id", "é"])] = _nasty(dice)


def _move(dice: random.Random, row: Row) -> None:
    container, key = dice.choice(_places(row))
    other, place = dice.choice(_places(row))
    other[place] = copy.deepcopy(container[key])


_WAYS: list[Callable[[random.Random, Row], None]] = [_set, _set, _set, _drop, _add, _move]


def _text(dice: random.Random, row: Any) -> bytes:
    """Write JSON, sometimes spaced, escaped, with a key twice or bytes that are no UTF-8."""
    text = json.dumps(row, ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, None, 1]))
    data = text.encode("utf-8", "surrogatepass")
    if data.startswith(b"{") and dice.random() < 0.05:
        name = dice.choice([b"id", b"name", b"genres", b"new"])
        data = b'{"%s": %s,%s' % (name, json.dumps(_nasty(dice)).encode(), data[1:])
        data = data.replace(b",}", b"}")
    if dice.random() < 0.02:
        data = data.replace(b'"name"', b'"name\xff"' if dice.random() < 0.5 else b'"n\xe9me"', 1)
    return data


def mutant(dice: random.Random, row: Row) -> bytes:
    """A broken copy of `row`, as JSON text: one JSON value, if not always valid in its strings."""
    broken = copy.deepcopy(row)
    for _ in range(dice.choice([0, 1, 1, 1, 2, 5])):
        if broken:
            dice.choice(_WAYS)(dice, broken)
    return _text(dice, _nasty(dice) if dice.random() < 0.02 else broken)
