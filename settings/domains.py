"""Variables of one domain: the schedule and first day of its DAG, and the URL of its monthly files.

They are checked when they are used, so that a wrong value breaks the DAG that it belongs to and no other.
"""

import os
from collections.abc import Mapping
from datetime import date

from settings import environments
from settings.environments import NO_DAG, SettingsError

SCHEDULE_PREFIX = "SLUICE_SCHEDULE_"
START_PREFIX = "SLUICE_START_"
DOWNLOAD_URL_PREFIX = "SLUICE_DOWNLOAD_URL_"


def read_by_domain(prefix: str) -> dict[str, str]:
    """Return the unchecked values of the variables with a prefix, by domain."""
    found = {}
    for variable, text in os.environ.items():
        if not variable.startswith(prefix) or not text:
            continue
        domain = variable.removeprefix(prefix).lower()
        if not environments.has_dag(domain):
            raise SettingsError(f"{variable} is for a DAG {domain}, {NO_DAG}")
        found[domain] = text
    return found


def schedule_of(domain: str, text: str) -> str:
    """Return the schedule of a domain's DAG, checked."""
    try:
        return environments.check_schedule(text)
    except ValueError as error:
        raise SettingsError(f"{SCHEDULE_PREFIX}{domain.upper()} {error}, not {text!r}") from error


def start_of(domain: str, text: str) -> date:
    """Return the first day of a domain's DAG, checked."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        variable = f"{START_PREFIX}{domain.upper()}"
        raise SettingsError(f"{variable} must be a day such as 2024-01-01, not {text!r}") from error


def download_url_of(domain: str, urls: Mapping[str, str]) -> str | None:
    """Return the URL of a domain's monthly files, checked; None if there is none."""
    url = urls.get(domain)
    # The value may hold credentials, so the error does not repeat it.
    if url and (not url.startswith(("http://", "https://")) or "{month}" not in url.rpartition("/")[2]):
        raise SettingsError(
            f"{DOWNLOAD_URL_PREFIX}{domain.upper()} must be a URL that begins with http:// or https:// "
            "and has {month} in its last part"
        )
    return url
