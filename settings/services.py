"""Servers that Sluice uses: for mail, Airflow's API, and what Airflow needs where it runs as services."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import SettingsConfigDict

from settings.environments import PROJECT_DIR
from settings.values import HttpUrl, Port, matching, without_slash
from settings.variables import EnvSettings


def _receiver(text: str) -> str:
    """Return the address of a server, or the absolute path of a file."""
    if re.fullmatch(r"https?://[^\s/@]+(/\S*)?", text):
        return without_slash(text)
    path = Path(text.removeprefix("file://")).expanduser()
    if "://" in str(path) or "@" in text or re.match(r"\w+:", text.removeprefix("file://")):
        raise PydanticCustomError(
            "form",
            "must be a URL such as http://127.0.0.1:5000, without a password, or the path of a file",
        )
    return str((PROJECT_DIR / path).resolve())


SMTP_PORTS = {"starttls": 587, "ssl": 465, "none": 25}


class Smtp(EnvSettings):
    """The server that sends mail."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_SMTP_")

    host: str = Field("", description="the server that sends the mail")
    security: Literal["starttls", "ssl", "none"] = Field(
        "starttls", description="`starttls`, `ssl`, or `none` (only without a user)"
    )
    port: Port = Field(
        default_factory=lambda data: SMTP_PORTS[data["security"]],
        description="its port; default: the usual one",
    )
    user: str | None = Field(None, description="user of the mail server")
    password: SecretStr | None = Field(None, description="password of the user")


class OpenLineage(EnvSettings):
    """Where the lineage of runs is sent to."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_OPENLINEAGE_")

    url: Annotated[str, AfterValidator(_receiver)] = Field(
        description="receiver of the lineage of runs: the address of an OpenLineage API, or a file"
    )
    api_key: SecretStr | None = Field(None, description="its API key")

    @property
    def is_http(self) -> bool:
        """Whether it is a server and not a file."""
        return self.url.startswith(("http://", "https://"))


class AirflowAccess(EnvSettings):
    """Address and login of Airflow's REST API."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_AIRFLOW_")
    _hint = "; in a deployment, `make env` writes the secrets into .env"

    url: HttpUrl = Field(description="address of the api-server whose history of runs `health` collects")
    username: str = Field(description="user of the API")
    password: SecretStr = Field(description="password of the user")


class Deployment(EnvSettings):
    """What Airflow's services share: database, broker and secrets. Without a broker the scheduler runs the tasks."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_")
    _hint = "; `make env` writes the secrets into .env"

    metadata_url: Annotated[
        str,
        matching(
            r"postgresql://\w+@[^\s/@]+/\w+",
            "a URL such as postgresql://airflow@postgres:5432/airflow, without a password",
        ),
    ] = Field(description="Airflow's database")
    metadata_password: SecretStr = Field(description="password of the database")
    broker_url: (
        Annotated[
            str,
            matching(
                r"rediss?://[^\s/@]+(/[0-9]+)?", "a URL such as redis://redis:6379/0, without a password"
            ),
        ]
        | None
    ) = Field(None, description="broker of Celery; without one the scheduler runs the tasks")
    broker_password: SecretStr | None = Field(None, description="password of the broker")
    public_url: HttpUrl = Field("http://127.0.0.1:8080", description="address of Airflow's UI for people")
    fernet_key: SecretStr = Field(description="key that encrypts connections in Airflow's database")
    jwt_secret: SecretStr = Field(description="secret of the tokens of Airflow's API")
    session_key: SecretStr = Field(description="secret of the sessions of Airflow's UI")

    @model_validator(mode="after")
    def _broker_has_a_password(self) -> Self:
        if self.broker_url and not self.broker_password:
            raise PydanticCustomError(
                "needs",
                "SLUICE_BROKER_PASSWORD is not set, but SLUICE_BROKER_URL needs it" + self._hint,
            )
        return self
