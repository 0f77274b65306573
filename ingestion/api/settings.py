"""Settings of an API: its address and its secret."""

import re
from typing import Annotated

from pydantic import AfterValidator, PositiveInt, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from settings.variables import EnvSettings


def _check_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", url):
        raise PydanticCustomError(
            "api_url",
            "must be a URL that begins with http:// or https://, without user, password and query; "
            "the secret of the API has a variable of its own",
        )
    return url.rstrip("/")


def _check_secret(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise PydanticCustomError("api_key", "must be one word of printable ASCII characters")
    return secret


ApiUrl = Annotated[str, AfterValidator(_check_url)]
ApiSecret = Annotated[SecretStr, AfterValidator(_check_secret)]


class ApiLimits(EnvSettings):
    """What a load takes from an API before it stops with an error that names the limit."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_API_")

    max_pages: PositiveInt = 10_000
    max_response_mb: PositiveInt = 64
    max_columns: PositiveInt = 1_000
    request_seconds: PositiveInt = 300
    load_seconds: PositiveInt = 10_800


class ApiSettings(EnvSettings):
    """Address and secret of an API, from `<prefix>API_URL` and `<prefix>API_KEY`; None where not set."""

    api_url: ApiUrl | None = None
    api_key: ApiSecret | None = None

    @property
    def secret(self) -> str | None:
        """The secret as text."""
        return self.api_key.get_secret_value() if self.api_key else None

    @property
    def url_variable(self) -> str:
        """The variable with the address."""
        return self.variable("api_url")

    @property
    def key_variable(self) -> str:
        """The variable with the secret."""
        return self.variable("api_key")

    def apis(self) -> list["ApiSettings"]:
        """Return the APIs that a load with these settings calls."""
        return [self]
