"""Settings: environment over `.env` over defaults, read once at the entry point and frozen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

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
    found = _read_dotenv(dotenv) if dotenv is not None and dotenv.is_file() else {}
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
            f"{variable} cannot be used: {first['msg']}",
            operation="read settings",
            subject=variable,
            hint=f"set {variable} in the environment or in .env; see .env.example",
        ) from None


def _password_in(url: str) -> str:
    """Return the password of an address; none where it is the user's name, which is shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    password = unquote(parts.password or "")
    return "" if password == unquote(parts.username or "") else password


def _read_dotenv(path: Path) -> dict[str, str | None]:
    try:
        return dotenv_values(path)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text",
            operation="read settings",
            subject=str(path),
            hint=f"save {path} as UTF-8; .env.example shows its form",
        ) from error
