"""Settings: environment over .env over defaults, frozen, secrets never shown."""

import pytest
from pydantic import ValidationError

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
    ],
)
def test_a_value_that_cannot_be_used_is_named(name, value):
    with pytest.raises(UsageError) as caught:
        load_settings({name: value}, None)

    assert caught.value.subject == name
    assert name in caught.value.hint


def test_a_secret_is_not_shown_and_not_echoed():
    settings = load_settings({"RAWG_API_KEY": "canary-1", "DATABASE_URL": "canary-2"}, None)

    assert "canary" not in f"{settings!r} {settings}"
    assert settings.secrets() == ("canary-1", "canary-2")


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError):
        Settings().rawg_workers = 5
