"""Airflow as services of its own: where their database and broker are, and the secrets that they share."""

import os
import re
from dataclasses import dataclass, field

from settings.environments import SettingsError

# Of the user of Airflow's UI, whom `SLUICE_AIRFLOW_USERNAME` names.
UI_PASSWORD = "SLUICE_AIRFLOW_PASSWORD"
PUBLIC_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Deployment:
    """What the services have in common. URLs are without passwords; without a broker the scheduler runs the tasks."""

    metadata_url: str
    public_url: str
    broker_url: str | None
    metadata_password: str = field(repr=False)
    fernet_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    session_key: str = field(repr=False)
    broker_password: str | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """The variables that say so."""
        found = {
            "SLUICE_METADATA_URL": self.metadata_url,
            "SLUICE_METADATA_PASSWORD": self.metadata_password,
            "SLUICE_PUBLIC_URL": self.public_url,
            "SLUICE_BROKER_URL": self.broker_url,
            "SLUICE_BROKER_PASSWORD": self.broker_password,
            "SLUICE_FERNET_KEY": self.fernet_key,
            "SLUICE_JWT_SECRET": self.jwt_secret,
            "SLUICE_SESSION_KEY": self.session_key,
        }
        return {name: value for name, value in found.items() if value}


def read_deployment() -> Deployment | None:
    """The deployment that this process belongs to; None for an Airflow on this machine, `make airflow`.

    Raises:
        SettingsError: a URL cannot be used, or a secret is missing; names the variable.
    """
    if not os.environ.get("SLUICE_METADATA_URL"):
        return None
    if not os.environ.get("SLUICE_AIRFLOW_URL"):
        raise SettingsError(
            "SLUICE_METADATA_URL needs SLUICE_AIRFLOW_URL, where the services find the api-server"
        )
    _secret(UI_PASSWORD)
    broker_url = _url("SLUICE_BROKER_URL", "redis://redis:6379/0", r"rediss?://[^\s/@]+(/[0-9]+)?")
    return Deployment(
        metadata_url=_url(
            "SLUICE_METADATA_URL",
            "postgresql://airflow@postgres:5432/airflow",
            r"postgresql://\w+@[^\s/@]+/\w+",
        ),
        public_url=_url("SLUICE_PUBLIC_URL", PUBLIC_URL, r"https?://[^\s/@]+(/\S*)?") or PUBLIC_URL,
        broker_url=broker_url,
        metadata_password=_secret("SLUICE_METADATA_PASSWORD"),
        broker_password=_secret("SLUICE_BROKER_PASSWORD") if broker_url else None,
        fernet_key=_secret("SLUICE_FERNET_KEY"),
        jwt_secret=_secret("SLUICE_JWT_SECRET"),
        session_key=_secret("SLUICE_SESSION_KEY"),
    )


def _secret(variable: str) -> str:
    secret = os.environ.get(variable)
    if not secret:
        raise SettingsError(f"{variable} is not set, and a deployment needs it: make env writes it into .env")
    return secret


def _url(variable: str, example: str, form: str) -> str | None:
    """A URL of this form; None if the variable is not set."""
    text = os.environ.get(variable)
    # It is not repeated: who wrote a password into it has a mistake, and not a secret in a log.
    if text and not re.fullmatch(form, text):
        raise SettingsError(f"{variable} must be a URL such as {example}, without a password")
    return text or None
