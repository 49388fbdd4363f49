"""The publish record survives its stored form, and an unknown form is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.iceberg_record import PublishRecord
from utils.errors import GamelakeError

_counts = st.dictionaries(st.text(max_size=20), st.integers(-(2**63), 2**63 - 1), max_size=3)


@given(
    st.builds(
        PublishRecord,
        run_id=st.text(),
        mode=st.sampled_from(["full", "incremental"]),
        raw_applied=_counts,
        tables=_counts,
        rows=_counts,
        published_at=st.text(),
        fence=st.integers(0),
        shape=st.text(),
    )
)
def test_a_record_comes_back_as_it_was(record: PublishRecord) -> None:
    assert PublishRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"run_id": "r"}', "null"])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(GamelakeError, match="publish record"):
        PublishRecord.from_json(text)


def test_a_field_of_a_newer_version_is_refused() -> None:
    known = PublishRecord("r", "full", {}, {}, {}, "t", 1)
    newer = json.dumps({**json.loads(known.to_json()), "surprise": 1})

    with pytest.raises(GamelakeError, match="surprise"):
        PublishRecord.from_json(newer)
