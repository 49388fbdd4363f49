"""The ledger behaves like a dict, however large its batches."""

import pytest
from database_fixtures import NewUrl
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from storage.database.repositories.ledger import LedgerRow
from storage.database.session import Database, UnitOfWork

_ids = st.integers(1, 9) | st.just(2**40)
_texts = st.sampled_from(["a", "b"])
_rows = st.builds(LedgerRow, _ids, st.none() | _texts, _texts, _texts, _texts, _texts, _texts)
_entities = st.sampled_from([("rawg", "games"), ("rawg", "genres"), ("igdb", "games")])


class Ledger(RuleBasedStateMachine):
    """Random batches against a dict from (source, entity, id) to row."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.database = Database.open(url)
        self.model: dict[tuple[str, str, int], LedgerRow] = {}

    def teardown(self) -> None:
        self.database.close()

    @rule(entity=_entities, rows=st.lists(_rows, max_size=6))
    def upsert(self, entity: tuple[str, str], rows: list[LedgerRow]) -> None:
        with self.database.unit_of_work() as unit:
            unit.ledger.upsert(*entity, rows)
        for row in rows:
            known = self.model.get((*entity, row.natural_id), row)
            self.model[*entity, row.natural_id] = row._replace(first_seen=known.first_seen)

    @rule(entity=_entities, ids=st.lists(_ids, max_size=6))
    def touch(self, entity: tuple[str, str], ids: list[int]) -> None:
        with self.database.unit_of_work() as unit:
            unit.ledger.touch(*entity, ids, seen_at="now", run_id="r")
        for key in [key for key in self.model if key[:2] == entity and key[2] in ids]:
            self.model[key] = self.model[key]._replace(last_seen="now", run_id="r")

    @rule(rows=st.lists(_rows, min_size=1, max_size=3))
    def fail(self, rows: list[LedgerRow]) -> None:
        with pytest.raises(ZeroDivisionError), self.database.unit_of_work() as unit:
            _upsert_and_fail(unit, rows)

    @rule(entity=_entities, ids=st.lists(_ids, max_size=6))
    def lookup(self, entity: tuple[str, str], ids: list[int]) -> None:
        with self.database.reading() as unit:
            found = unit.ledger.lookup(*entity, ids)
        assert found == {i: self.model[*entity, i] for i in ids if (*entity, i) in self.model}

    @invariant()
    def counts_and_ids_agree(self) -> None:
        with self.database.reading() as unit:
            ids = sorted(key[2] for key in self.model if key[:2] == ("rawg", "games"))
            assert list(unit.ledger.ids("rawg", "games")) == ids
            assert unit.ledger.count("rawg", "games") == len(ids)


def test_the_ledger_is_a_dict(empty_url: NewUrl, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Ledger(empty_url()),
        settings=settings(max_examples=examples, stateful_step_count=20, deadline=None),
    )


def _upsert_and_fail(unit: UnitOfWork, rows: list[LedgerRow]) -> None:
    unit.ledger.upsert("rawg", "games", rows)
    raise ZeroDivisionError


def rows(ids: range, at: str) -> list[LedgerRow]:
    return [LedgerRow(i, at, "f" * 64, "browse", at, at, "20261121t015200-000000") for i in ids]


def test_a_batch_larger_than_a_statement_allows(store_url: str) -> None:
    with Database.open(store_url) as database:
        with database.unit_of_work() as unit:
            unit.ledger.upsert("rawg", "games", rows(range(50_000), "2026"))
        with database.reading() as unit:
            found = unit.ledger.lookup("rawg", "games", range(0, 100_000, 2))
    assert sorted(found) == list(range(0, 50_000, 2))
