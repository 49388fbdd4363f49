"""Which task a user of the object store has is told from its rights."""

from itertools import product

from storage.minio_roles import RAW, ROLES, WAREHOUSE, Rights, role_with

NONE: Rights = frozenset()
READ: Rights = frozenset({"read"})
WRITE: Rights = frozenset({"write"})
BOTH = READ | WRITE


def test_every_role_is_known_by_its_rights():
    assert [role_with(role.may(RAW), role.may(WAREHOUSE)) for role in ROLES] == list(ROLES)


def test_other_rights_are_nobody_s():
    pairs = product([NONE, READ, WRITE, BOTH], repeat=2)
    known = {pair: role.user for pair in pairs if (role := role_with(*pair))}

    assert known == {
        (BOTH, NONE): "gamelake-ingest",
        (READ, BOTH): "gamelake-etl",
        (READ, READ): "gamelake-analyst",
        (NONE, BOTH): "gamelake-nessie",
        (BOTH, BOTH): "gamelake-gamelake",
    }
