"""No secret reaches a line of output, in whatever form it is hidden."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.log import Logging, set_up_logging
from utils.redact import MASK, Redactor

CANARY = "c4n4ry/K+y=é w"

FORMS = {
    "plain": CANARY,
    "upper case": CANARY.upper(),
    "url": quote(CANARY, safe=""),
    "url path": quote(CANARY),
    "url, lower case": quote(CANARY, safe="").lower(),
    "url twice": quote(quote(CANARY, safe=""), safe=""),
    "form": quote_plus(CANARY),
    "json": json.dumps(CANARY)[1:-1],
    "repr": repr(CANARY)[1:-1],
    "base64": base64.b64encode(CANARY.encode()).decode().rstrip("="),
    "base64 url-safe": base64.urlsafe_b64encode(CANARY.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_is_masked_and_the_rest_stays(form: str) -> None:
    redacted = Redactor([CANARY])(f"before {form} after")
    assert form not in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert MASK in redacted


@given(before=st.binary(max_size=4), after=st.binary(max_size=4))
def test_base64_is_found_wherever_the_secret_stands_in_it(before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + b"minio-secret-key" + after).decode()
    redacted = Redactor(["minio-secret-key"])(f"Authorization: Basic {encoded}")
    assert MASK in redacted
    left = redacted.removeprefix("Authorization: Basic ").replace(MASK, "")
    assert len(left) <= len(encoded) - 20  # at most the edges that neighbours share remain


@given(st.text(min_size=8), st.text(), st.text())
def test_any_secret_is_gone_from_any_text(secret: str, before: str, after: str) -> None:
    redacted = Redactor([secret])(before + secret + after)
    assert secret not in redacted or secret in MASK


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("GET /api/games?key=abc&page=2", "GET /api/games?key=***&page=2"),
        ("https://x/y?page=2&key=abc", "https://x/y?page=2&key=***"),
        ('"next": "https://x/y?key=abc"', '"next": "https://x/y?key=***"'),
        ("?api_key=abc;", "?api_key=***"),
        ("?KEY=abc#top", "?KEY=***"),
        (
            "next=https%3A%2F%2Fx%3Fkey%3Dabc%26page%3D2",
            "next=https%3A%2F%2Fx%3Fkey%3D***%26page%3D2",
        ),
        ("monkey=banana", "monkey=banana"),
        ("the key is missing", "the key is missing"),
    ],
)
def test_key_parameters_are_masked_without_knowing_the_key(text: str, redacted: str) -> None:
    assert Redactor([])(text) == redacted


def test_a_secret_inside_another_leaves_nothing_of_either() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh abcd") == f"{MASK} {MASK}"


def test_no_secrets_is_fine() -> None:
    assert Redactor(["", ""])("text") == "text"


@pytest.fixture
def root_level() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def set_up(folder: Path | None, verbosity: int = 0) -> Logging:
    return set_up_logging(folder, verbosity=verbosity, redact=Redactor([CANARY]))


def log_a_chain_of_causes(log: logging.Logger) -> None:
    try:
        try:
            raise OSError(f"cannot reach https://x/?key={CANARY}")
        except OSError as cause:
            raise RuntimeError(f"second {CANARY}") from cause
    except RuntimeError:
        log.exception("first %s", CANARY, stack_info=True)


def log_text(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("*.log"))


@pytest.mark.usefixtures("root_level")
def test_messages_arguments_and_chained_causes_are_masked_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers = set_up(tmp_path)
    log_a_chain_of_causes(logging.getLogger("ingestion.test"))
    handlers.close()
    for text in (capsys.readouterr().err, log_text(tmp_path)):
        assert "second ***" in text
        assert "cannot reach https://x/?key=***" in text
        assert "c4n4ry" not in text


@pytest.mark.usefixtures("root_level")
@pytest.mark.parametrize(
    ("verbosity", "on_screen"),
    [
        (-1, {"error"}),
        (0, {"error", "warning"}),
        (1, {"error", "warning", "info"}),
        (2, {"error", "warning", "info", "debug", "library"}),
    ],
)
def test_verbosity_chooses_what_is_on_screen_and_the_file_has_info(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verbosity: int, on_screen: set[str]
) -> None:
    handlers = set_up(tmp_path, verbosity)
    for name in ("error", "warning", "info", "debug"):
        getattr(logging.getLogger("etl.test"), name)(f"<{name}>")
    logging.getLogger("urllib3.pool").debug("<library>")
    handlers.close()
    everything = ("error", "warning", "info", "debug", "library")
    shown = capsys.readouterr().err
    assert {name for name in everything if f"<{name}>" in shown} == on_screen
    in_file = {name for name in everything if f"<{name}>" in log_text(tmp_path)}
    assert in_file == on_screen | {"error", "warning", "info"}


@pytest.mark.usefixtures("root_level")
def test_a_log_without_lines_leaves_no_file(tmp_path: Path) -> None:
    set_up(tmp_path / "lake" / "logs").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("root_level")
def test_a_log_that_cannot_be_written_ends_no_run_and_shows_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    handlers = set_up(tmp_path / "logs")
    for _ in range(2):
        logging.getLogger("etl.test").warning("told %s", CANARY)
    handlers.close()
    shown = capsys.readouterr().err
    assert shown.count("cannot be written") == 1
    assert shown.count("told ***") == 2
    assert "c4n4ry" not in shown


@pytest.mark.usefixtures("root_level")
def test_closing_takes_the_handlers_off(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(None, 2).close()
    logging.getLogger("etl.test").error("after")
    assert "after" not in capsys.readouterr().err
