"""Variables that are for one domain: its schedule, its first day, where its files are offered."""

import os
from collections.abc import Iterator
from datetime import date

from settings import environments
from settings.environments import NO_DAG, SettingsError

SCHEDULE_PREFIX = "SLUICE_SCHEDULE_"
START_PREFIX = "SLUICE_START_"
DOWNLOAD_URL_PREFIX = "SLUICE_DOWNLOAD_URL_"


def read_schedules() -> Iterator[tuple[str, str]]:
    """Schedules by domain."""
    for variable, domain, text in _of_domains(SCHEDULE_PREFIX):
        try:
            yield domain, environments.check_schedule(text)
        except ValueError as error:
            raise SettingsError(f"{variable} {error}, not {text!r}") from error


def read_starts() -> Iterator[tuple[str, date]]:
    """First days by domain."""
    for variable, domain, text in _of_domains(START_PREFIX):
        try:
            yield domain, date.fromisoformat(text)
        except ValueError as error:
            raise SettingsError(f"{variable} must be a day such as 2024-01-01, not {text!r}") from error


def read_download_urls() -> Iterator[tuple[str, str]]:
    """URLs of monthly files by domain, which may hold credentials."""
    for variable, domain, text in _of_domains(DOWNLOAD_URL_PREFIX):
        # The value may hold credentials, so the error does not repeat it.
        if not text.startswith(("http://", "https://")) or "{month}" not in text.rpartition("/")[2]:
            raise SettingsError(
                f"{variable} must be a URL that begins with http:// or https:// and has {{month}} in its last part"
            )
        yield domain, text


def _of_domains(prefix: str) -> Iterator[tuple[str, str, str]]:
    """The variables of a prefix that are set: name, domain and value."""
    for variable, text in os.environ.items():
        if not variable.startswith(prefix) or not text:
            continue
        domain = variable.removeprefix(prefix).lower()
        if not environments.has_dag(domain):
            raise SettingsError(f"{variable} is for a DAG {domain}, {NO_DAG}")
        yield variable, domain, text
