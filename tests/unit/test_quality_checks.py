"""The rules name exactly the rows that break them; results say it in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import pytest
from ibis.expr.types import Table

from etl.engine import BuildEngine
from quality import rules
from quality.checks import Check, failures, run_checks

Rows = list[dict[str, Any]]


def _table(*rows: tuple[int | None, str | None]) -> Table:
    """Return a table of (id, name) made of literals."""
    parts = [
        ibis.literal([0])
        .unnest()
        .name("one")
        .as_table()
        .select(id=ibis.literal(number, "int64"), name=ibis.literal(name, "string"))
        for number, name in rows
    ]
    return ibis.union(*parts)


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    with BuildEngine(tmp_path) as engine:
        yield lambda bad: engine.rows(bad.order_by(bad.columns))


PEOPLE = _table((1, "a"), (2, "b"), (2, None), (None, "d"))


def test_duplicates_are_named_with_their_number(rows: Callable[[Table], Rows]) -> None:
    assert rows(rules.duplicates(PEOPLE, ["id"])) == [{"id": 2, "copies": 2}]
    assert rows(rules.duplicates(PEOPLE, ["id", "name"])) == []


def test_nulls_in_any_of_the_columns(rows: Callable[[Table], Rows]) -> None:
    found = rows(rules.nulls(PEOPLE, ["id", "name"]))

    assert found == [{"id": 2, "name": None}, {"id": None, "name": "d"}]


def test_orphans_are_rows_without_a_parent(rows: Callable[[Table], Rows]) -> None:
    parents = _table((1, "x"))

    found = rows(rules.orphans(PEOPLE, "id", parents, "id", shown=["id", "name"]))

    assert {row["id"] for row in found} == {2, None}


def test_violations_are_rows_for_which_the_condition_is_true(rows: Callable[[Table], Rows]) -> None:
    assert rows(rules.violations(PEOPLE, PEOPLE["id"] > 1, shown=["id"])) == [{"id": 2}] * 2


def test_vanished_rows_are_those_not_there_any_more(rows: Callable[[Table], Rows]) -> None:
    after = _table((1, "a"), (2, None), (None, "d"), (5, "e"))

    assert rows(rules.vanished(PEOPLE, after)) == [{"id": 2, "name": "b"}]


@pytest.mark.parametrize(
    ("found", "share", "broken"),
    [(3, 0.0, True), (4, 0.0, False), (3, 0.25, False), (2, 0.25, True)],
)
def test_fewer_rows_than_before(
    rows: Callable[[Table], Rows], found: int, share: float, broken: bool
) -> None:
    table = _table(*[(n, "x") for n in range(found)])

    assert bool(rows(rules.fewer_rows(table, PEOPLE, tolerated_share=share))) is broken


def test_another_number_of_rows(rows: Callable[[Table], Rows]) -> None:
    assert rows(rules.other_count(_table((1, "x")), PEOPLE)) == [{"found": 1, "expected": 4}]
    assert rows(rules.other_count(PEOPLE, PEOPLE)) == []


def test_results_count_and_show_what_is_broken(tmp_path: Path) -> None:
    many = _table(*[(n, "x") for n in range(8)])
    checks = [
        Check("fine", "t", "fail", "all is well", many.filter(many["id"] > 99)),
        Check("odd", "t", "warn", "names are given", many.filter(many["id"] > 6)),
        Check("bad", "t", "fail", "nothing is there", many),
    ]

    with BuildEngine(tmp_path) as engine:
        results = run_checks(engine, checks)

    assert [result.outcome for result in results] == ["passed", "warned", "failed"]
    assert [result.bad_rows for result in results] == [0, 1, 8]
    assert [row["id"] for row in results[2].sample] == [0, 1, 2, 3, 4]
    assert failures(results) == [results[2]]
    assert results[0].describe() == "t: all is well"
    line = 't: names are given: broken by 1, such as [{"id": 7, "name": "x"}]'
    assert results[1].describe() == line


def test_no_checks_no_query(tmp_path: Path) -> None:
    with BuildEngine(tmp_path) as engine:
        assert run_checks(engine, []) == []
