"""Settings: environment over .env over defaults, frozen, secrets never shown."""

import pytest
from pydantic import ValidationError

from gamelake.stack_env import read_env
from utils.config import Settings, load_settings
from utils.errors import UsageError


def test_environment_wins_over_dotenv_and_dotenv_over_defaults(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("RAWG_WORKERS=7\nRAWG_ATTEMPTS=9\n")

    settings = load_settings({"RAWG_WORKERS": "2"}, dotenv)

    assert (settings.rawg_workers, settings.rawg_attempts) == (2, 9)
    assert settings.rawg_depth_limit == 10_000


def test_an_empty_or_blank_variable_means_the_default():
    settings = load_settings({"RAWG_WORKERS": "", "RAWG_API_KEY": " "}, None)

    assert (settings.rawg_workers, settings.secrets()) == (4, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RAWG_WORKERS", "0"),
        ("RAWG_WORKERS", "65"),
        ("RAWG_MONTHLY_QUOTA", "-1"),
        ("RAWG_TIMEOUT_S", "0"),
        ("RAWG_TIMEOUT_S", "inf"),
        ("RAWG_ATTEMPTS", "many"),
        ("GAMELAKE_PROFILE", "cloud"),
        *(
            ("RAWG_BASE_URL", url)
            for url in (
                "api.rawg.io/api",
                "ftp://api.rawg.io/api",
                "http://",
                "http://:80/api",
                "http://127.0.0.1:99999/api",
                "http://127.0.0.1:0/api",
                "http://127.0.0.1:port/api",
                "http://[::1/api",
                "http://api rawg io/api",
            )
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name, value):
    with pytest.raises(UsageError) as caught:
        load_settings({name: value}, None)

    assert caught.value.subject == name
    assert name in caught.value.hint


@pytest.mark.parametrize("url", ["http://localhost", "HTTPS://api.rawg.io/api", "http://[::1]:80/"])
def test_a_base_url_is_taken_as_it_stands(url):
    assert load_settings({"RAWG_BASE_URL": url}, None).rawg_base_url == url


@pytest.mark.parametrize("read", [lambda path: load_settings({}, path), read_env])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('RAWG_API_KEY="canary\n', 1),
        ("\n\nRAWG_WORKERS=2\n\n # mine\n  RAWG_API_KEY='canary\nRAWG_ATTEMPTS=3\n", 6),
        ("RAWG_NOTE='two\r\nlines'\r\nRAWG API_KEY=canary", 3),
        ('RAWG_API_KEY="canary"s\n', 1),
    ],
)
def test_a_line_of_dotenv_that_cannot_be_read_is_named_and_not_shown(  # noqa: PLR0917 - fixtures
    tmp_path, caplog, read, text, line
):
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(text.encode())

    with pytest.raises(UsageError, match=f".env line {line} cannot be read") as caught:
        read(dotenv)

    assert "quote" in caught.value.hint
    assert "canary" not in f"{caught.value.as_dict()}"
    assert caplog.text == ""


def test_what_dotenv_may_hold_is_read(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# mine\n\nexport RAWG_API_KEY='two\nlines' # note\nRAWG_WORKERS\nHOST=h.example\n"
        "RAWG_BASE_URL=http://${HOST}/api\n"
    )

    settings = load_settings({}, dotenv)

    assert settings.secrets() == ("two\nlines",)
    assert (settings.rawg_workers, settings.rawg_base_url) == (4, "http://h.example/api")


def test_a_secret_is_not_shown_and_not_echoed():
    settings = load_settings({"RAWG_API_KEY": "canary-1", "DATABASE_URL": "canary-2"}, None)

    assert "canary" not in f"{settings!r} {settings}"
    assert settings.secrets() == ("canary-1", "canary-2")


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        Settings().rawg_workers = 5
