"""A secret is found in whatever form and file it hides."""

import base64
import json
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamelake.verify_secrets import secrets_are_absent
from utils.redact import Redactor

SECRET = "s3cr&t/Key+of mine"  # noqa: S105 - nobody's


def problems(home: Path, *secrets: str) -> list[str]:
    settings = SimpleNamespace(secrets=lambda: secrets or (SECRET,), gamelake_profile="embedded")
    return list(
        secrets_are_absent(SimpleNamespace(settings=settings, paths=SimpleNamespace(home=home)))
    )


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        SECRET.upper(),
        quote(SECRET, safe=""),
        quote(quote(SECRET, safe=""), safe=""),
        json.dumps(SECRET),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
    ],
)
def test_it_is_found_in_every_form(tmp_path, form):
    (tmp_path / "log").write_bytes(b"\xff\x00" + form.encode() + b"\x00")

    (problem,) = problems(tmp_path)

    assert problem.endswith("log")
    assert SECRET not in problem


def test_it_is_found_in_packed_parquet_and_in_sqlite(tmp_path):
    # The halves come first, so that the packed whole is two references to them.
    texts = [f"{SECRET[:9]}-", f"{SECRET[9:]}-", SECRET]
    rows = pa.table({"a": [[{"b": text}] for text in texts * 100]})
    pq.write_table(rows, tmp_path / "part.parquet", compression="zstd")
    assert SECRET.encode() not in (tmp_path / "part.parquet").read_bytes()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (?)", [SECRET])
    connection.close()

    assert len(problems(tmp_path)) == 2


def test_it_is_found_across_the_edge_of_a_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr("gamelake.verify_secrets._CHUNK", 64)
    (tmp_path / "log").write_text("x" * 57 + SECRET + "x" * 300)

    assert len(problems(tmp_path)) == 1


def test_a_clean_lake_has_no_problem(tmp_path):
    (tmp_path / "log").write_text("s3cr&t/Key")

    assert problems(tmp_path) == []


def test_a_key_of_a_few_letters_is_no_secret(tmp_path):
    (tmp_path / "log").write_text("any words")

    assert problems(tmp_path, "any") == []


@given(secret=st.text(min_size=8, max_size=30), before=st.text(max_size=9), safe=st.booleans())
def test_the_quick_search_finds_what_the_slow_one_redacts(secret, before, safe):
    text = before + quote(secret, safe="" if safe else "/:+")
    redact = Redactor([secret])

    assert redact.finds_secret(text)
    assert redact(text) != text
