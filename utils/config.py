"""Settings: environment over `.env` over defaults, read once at the entry point and frozen."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from utils.errors import UsageError


class Settings(BaseModel):
    """Every setting of DESIGN section 4; field names are the variables' names in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rawg_api_key: SecretStr = SecretStr("")
    rawg_base_url: str = "https://api.rawg.io/api"
    rawg_monthly_quota: int = Field(20_000, ge=0, description="requests a month; 0 is unlimited")
    rawg_max_rps: float = Field(4.0, ge=0, description="requests a second; 0 is unlimited")
    rawg_workers: int = Field(4, ge=1, le=64, description="pages in flight at most")
    rawg_depth_limit: int = Field(10_000, ge=1, description="rows a filtered listing gives")
    rawg_timeout_s: float = Field(
        30.0, gt=0, le=3600, description="seconds to connect and between bytes"
    )
    rawg_attempts: int = Field(5, ge=1, description="tries for a page before it is unreadable")
    gamelake_profile: Literal["embedded", "stack"] = "embedded"
    gamelake_home: Path = Path("lake")
    gamelake_memory_mb: int = Field(1_300, ge=500, description="memory that an etl may need")
    compose_profiles: str = "all"
    minio_endpoint: str = "127.0.0.1:9000"
    minio_access_key: SecretStr = SecretStr("")
    minio_secret_key: SecretStr = SecretStr("")
    minio_raw_bucket: str = "raw"
    minio_warehouse_bucket: str = "warehouse"
    minio_analyst_access_key: str = "gamelake-analyst"
    minio_analyst_secret_key: SecretStr = SecretStr("")
    nessie_uri: str = "http://127.0.0.1:19120"
    database_url: SecretStr = SecretStr("")
    dremio_url: str = "http://127.0.0.1:9047"
    dremio_user: str = ""
    dremio_password: SecretStr = SecretStr("")
    dremio_flight_url: str = ""
    dremio_nessie_uri: str = "http://nessie:19120"
    dremio_minio_endpoint: str = "minio:9000"
    spark_master: str = "local[*]"
    spark_jars: str = Field("", description="paths, separated by commas")

    @field_validator("rawg_base_url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        """Refuse what no request can be sent to: it would be tried again and again."""
        if not _is_web_address(url):
            raise ValueError("it has to look like https://api.rawg.io/api")
        return url

    def secrets(self) -> tuple[str, ...]:
        """Return every non-empty secret value, and the password in an address, for redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        secrets = [v.get_secret_value() for v in values if isinstance(v, SecretStr)]
        secrets.append(_password_in(self.database_url.get_secret_value()))
        return tuple(secret for secret in secrets if secret)


def load_settings(environ: Mapping[str, str], dotenv: Path | None = Path(".env")) -> Settings:
    """Read the settings from `environ` and, below it, from the file `dotenv` (None: no file).

    Raises UsageError naming the variable when a value cannot be used. Secrets are not echoed.
    """
    found = read_dotenv(dotenv) if dotenv is not None and dotenv.is_file() else {}
    merged = {**found, **environ}
    values = {
        name: value
        for name in Settings.model_fields
        if (value := (merged.get(name.upper()) or "").strip())
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        variable = str(first["loc"][0]).upper()
        raise UsageError(
            f"{variable} cannot be used: {first['msg'].removeprefix('Value error, ')}",
            operation="read settings",
            subject=variable,
            hint=f"set {variable} in the environment or in .env; see .env.example",
        ) from None


def read_dotenv(path: Path, *, interpolate: bool = True) -> dict[str, str | None]:
    """Return what the file `path` sets; `interpolate` fills in `${NAME}`.

    Raises UsageError naming the first line that cannot be read, without what stands there: it may
    be a secret.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text",
            operation="read settings",
            subject=str(path),
            hint=f"save {path} as UTF-8; .env.example shows its form",
        ) from error
    _check_lines(path, text)
    return dotenv_values(stream=StringIO(text), interpolate=interpolate)


def _check_lines(path: Path, text: str) -> None:
    """The library says where it stumbles only in a log line of its own, and reads on."""
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            start = binding.original.string
            blank = start[: len(start) - len(start.lstrip())].count("\n")
            raise UsageError(
                f"{path} line {binding.original.line + blank} cannot be read",
                operation="read settings",
                subject=str(path),
                hint="write it as NAME=value, and close every quote; .env.example shows the form",
            )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port  # raises for what is none
    except ValueError:
        return False
    named = parts.hostname is not None and " " not in parts.netloc
    return parts.scheme in ("http", "https") and named and port != 0


def _password_in(url: str) -> str:
    """Return the password of an address; none where it is the user's name, which is shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    password = unquote(parts.password or "")
    return "" if password == unquote(parts.username or "") else password
