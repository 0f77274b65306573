"""Whom to tell how a run ended, and where people and programs find Airflow and the dashboard."""

import os
import re
from dataclasses import dataclass, field

from settings.environments import SettingsError
from settings.values import number

# Ways to keep a mail between here and its server from others, and the usual port of each.
SMTP_PORTS = {"starttls": 587, "ssl": 465, "none": 25}


@dataclass(frozen=True)
class Mail:
    """Whom to write to, from which address, and by which server (`security` is a key of SMTP_PORTS)."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    security: str = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """The variables that say so."""
        found = {
            "SLUICE_NOTIFY_EMAIL_TO": ",".join(self.to),
            "SLUICE_NOTIFY_EMAIL_FROM": self.sender,
            "SLUICE_SMTP_HOST": self.host,
            "SLUICE_SMTP_PORT": str(self.port),
            "SLUICE_SMTP_SECURITY": self.security,
            "SLUICE_SMTP_USER": self.user,
            "SLUICE_SMTP_PASSWORD": self.password,
        }
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class AirflowAccess:
    """Where Airflow's REST API is, and as whom to ask it."""

    url: str
    username: str
    password: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """The variables that say so."""
        return {
            "SLUICE_AIRFLOW_URL": self.url,
            "SLUICE_AIRFLOW_USERNAME": self.username,
            "SLUICE_AIRFLOW_PASSWORD": self.password,
        }


def read_notify_success(default: bool) -> bool:
    """Whether successes are told, too."""
    text = os.environ.get("SLUICE_NOTIFY_SUCCESS") or str(int(default))
    if text not in ("0", "1"):
        raise SettingsError(f"SLUICE_NOTIFY_SUCCESS must be 1 or 0, not {text!r}")
    return text == "1"


def read_webhook_url() -> str | None:
    """Where messages are posted; None for nowhere."""
    url = os.environ.get("SLUICE_NOTIFY_WEBHOOK_URL") or None
    # Whoever has the value may write to the channel, so the error does not repeat it.
    if url and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise SettingsError("SLUICE_NOTIFY_WEBHOOK_URL must be a URL that begins with http:// or https://")
    return url


def read_mail() -> Mail | None:
    """Whom to write to; None for nobody."""
    to = tuple(filter(None, re.split(r"[,;\s]+", os.environ.get("SLUICE_NOTIFY_EMAIL_TO", ""))))
    host = os.environ.get("SLUICE_SMTP_HOST")
    if not to:
        return None
    if not host:
        raise SettingsError("SLUICE_NOTIFY_EMAIL_TO needs SLUICE_SMTP_HOST, the server that sends the mail")
    sender = os.environ.get("SLUICE_NOTIFY_EMAIL_FROM") or to[0]
    for address in (*to, sender):
        if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", address):
            raise SettingsError(
                f"SLUICE_NOTIFY_EMAIL_TO and SLUICE_NOTIFY_EMAIL_FROM must be addresses such as a@b.org, not {address!r}"
            )
    security = os.environ.get("SLUICE_SMTP_SECURITY") or "starttls"
    if security not in SMTP_PORTS:
        raise SettingsError(f"SLUICE_SMTP_SECURITY must be {', '.join(SMTP_PORTS)}, not {security!r}")
    user = os.environ.get("SLUICE_SMTP_USER") or None
    if user and security == "none":
        raise SettingsError(
            "SLUICE_SMTP_SECURITY=none would show the password of SLUICE_SMTP_USER on the way"
        )
    return Mail(
        to,
        sender,
        host,
        port=int(number("SLUICE_SMTP_PORT", SMTP_PORTS[security])),
        security=security,
        user=user,
        password=os.environ.get("SLUICE_SMTP_PASSWORD") or None,
    )


def read_dashboard_url() -> str:
    """Where people find the dashboard."""
    url = os.environ.get("SLUICE_DASHBOARD_URL") or "http://127.0.0.1:8501"
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
        raise SettingsError(f"SLUICE_DASHBOARD_URL must be a URL such as http://127.0.0.1:8501, not {url!r}")
    return url.rstrip("/")


def read_airflow() -> AirflowAccess | None:
    """Whose history of runs to read; None for that of nobody."""
    names = ("SLUICE_AIRFLOW_URL", "SLUICE_AIRFLOW_USERNAME", "SLUICE_AIRFLOW_PASSWORD")
    url, username, password = (os.environ.get(name, "") for name in names)
    if not url:
        return None
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url):
        raise SettingsError(
            f"{names[0]} must be a URL that begins with http:// or https://, without a password"
        )
    if not username or not password:
        raise SettingsError(f"{names[0]} needs {names[1]} and {names[2]}, as whom to ask it")
    return AirflowAccess(url.rstrip("/"), username, password)
