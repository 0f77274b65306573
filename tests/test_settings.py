"""The environment, read once; a value that cannot be used is named."""

import re
from datetime import date

import pytest

import settings as project_settings
from settings import SettingsError


def test_the_schedule_of_a_dag_stays_unless_the_environment_replaces_it(monkeypatch) -> None:
    assert project_settings.load().schedule("ecommerce", "0 2 * * *") == "0 2 * * *"
    for text, schedule in {
        "@hourly": "@hourly",
        "*/5 6-8 * * 1,2": "*/5 6-8 * * 1,2",
        "none": None,
        "": "0 2 * * *",
    }.items():
        monkeypatch.setenv("SLUICE_SCHEDULE_ECOMMERCE", text)
        settings = project_settings.load()
        assert settings.schedule("ecommerce", "0 2 * * *") == schedule
        assert settings.schedule("collisions", "@daily") == "@daily"
        assert settings.environment().get("SLUICE_SCHEDULE_ECOMMERCE", "") == text


@pytest.mark.parametrize("text", ["hourly", "@never", "0 2 * *", "61 * * * *", "0 0 2 * * *", "None"])
def test_a_schedule_that_is_none_is_named(monkeypatch, text: str) -> None:
    monkeypatch.setenv("SLUICE_SCHEDULE_ECOMMERCE", text)
    with pytest.raises(
        SettingsError, match=f"SLUICE_SCHEDULE_ECOMMERCE must be a cron.*{re.escape(repr(text))}"
    ):
        project_settings.load()


def test_a_schedule_for_a_dag_that_is_not_there_is_named(monkeypatch) -> None:
    monkeypatch.setenv("SLUICE_SCHEDULE_ECOMERCE", "none")
    with pytest.raises(SettingsError, match="SLUICE_SCHEDULE_ECOMERCE is for a DAG ecomerce"):
        project_settings.load()


def test_the_start_and_the_source_of_a_dag_come_from_the_environment(monkeypatch) -> None:
    assert project_settings.load().start("taxi", date(2021, 1, 1)) == date(2021, 1, 1)
    monkeypatch.setenv("SLUICE_START_TAXI", "2024-05-01")
    url = "https://user:secret@example.org/yellow_{month}.parquet?token=secret"
    monkeypatch.setenv("SLUICE_DOWNLOAD_URL_TAXI", url)
    settings = project_settings.load()
    assert settings.start("taxi", date(2021, 1, 1)) == date(2024, 5, 1)
    assert settings.environment()["SLUICE_START_TAXI"] == "2024-05-01"
    assert settings.download_urls == {"taxi": url}
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SLUICE_START_TAXI", "May 2024"),
        ("SLUICE_START_TRAM", "2024-05-01"),
        ("SLUICE_DOWNLOAD_URL_TAXI", "ftp://secret@example.org/{month}.csv"),
        ("SLUICE_DOWNLOAD_URL_TAXI", "https://secret@example.org/{month}/trips.csv"),
    ],
)
def test_a_start_or_source_that_is_none_is_named(monkeypatch, variable: str, text: str) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=variable) as caught:
        project_settings.load()
    assert "secret" not in str(caught.value)
