"""The environment, read once; a value that cannot be used is named."""

import re
from datetime import date

import pytest

import settings as project_settings
from settings import SettingsError, environments


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


@pytest.mark.parametrize(
    "text", ["hourly", "@never", "@once", "@continuous", "0 2 * *", "61 * * * *", "0 0 2 * * *", "None"]
)
def test_a_schedule_that_is_none_is_named(monkeypatch, text: str) -> None:
    monkeypatch.setenv("SLUICE_SCHEDULE_ECOMMERCE", text)
    with pytest.raises(
        SettingsError, match=f"SLUICE_SCHEDULE_ECOMMERCE must be a cron.*{re.escape(repr(text))}"
    ):
        project_settings.load().schedule("ecommerce", None)
    # It breaks no other DAG.
    assert project_settings.load().schedule("taxi", "@daily") == "@daily"


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
    assert settings.download_url("taxi") == url
    assert settings.catches_up("taxi")
    assert not settings.catches_up("ecommerce")
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

    def read_all() -> None:
        settings = project_settings.load()
        settings.start("taxi", date(2021, 1, 1))
        settings.download_url("taxi")

    with pytest.raises(SettingsError, match=variable) as caught:
        read_all()
    assert "secret" not in str(caught.value)


def test_a_target_that_there_is_not_is_named(monkeypatch) -> None:
    monkeypatch.setenv("SLUICE_TARGET", "postgress")
    with pytest.raises(
        SettingsError, match="SLUICE_TARGET must be one of duckdb, postgres, spark, not 'postgress'"
    ):
        project_settings.load()


VALUES = """
[default]
data_dir = "data"
target = "duckdb"
schedules = {}
active_dags = []
catch_up = true
retries = 3
notify = []
notify_success = false
limits = { max_row_decrease = 0.1, max_row_increase = inf, max_total_decrease = 0.1, max_total_increase = inf, max_days_back = 7, max_null_increase = 0.05 }
[dev]
[prod]
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Puts text in the place of environments.toml, with the DAG of one domain beside it."""
    file = tmp_path / "environments.toml"
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "taxi.py").touch()
    monkeypatch.setattr(environments, "FILE", file)
    monkeypatch.delenv("SLUICE_ENV", raising=False)
    return file.write_text


def test_an_environment_replaces_single_values_and_variables_replace_those(written, monkeypatch) -> None:
    written(
        VALUES + 'data_dir = "/srv/prod"\nretries = 5\nnotify = ["email", "webhook"]\nnotify_success = true\n'
        'schedules = {taxi = "@daily"}\nlimits = {max_row_decrease = 0.2, taxi = {max_days_back = 40}}\n'
    )
    monkeypatch.delenv("SLUICE_DATA_DIR", raising=False)
    dev, prod = project_settings.load(), project_settings.load("prod")
    assert (dev.env, dev.data_dir, dev.retries) == ("dev", project_settings.PROJECT_DIR / "data", 3)
    assert (dev.notify, dev.notify_success) == ((), False)
    assert (prod.env, str(prod.data_dir), prod.retries) == ("prod", "/srv/prod", 5)
    assert (prod.notify, prod.notify_success) == (("email", "webhook"), True)
    assert (prod.schedule("taxi", None), prod.schedule("ecommerce", "@hourly")) == ("@daily", "@hourly")
    assert [prod.limits_of(domain).max_row_decrease for domain in ("taxi", "ecommerce")] == [0.2, 0.2]
    assert [prod.limits_of(domain).max_days_back for domain in ("taxi", "ecommerce")] == [40, 7]
    assert prod.limits_of("taxi").max_row_increase == float("inf")
    assert dev.limits_of("taxi").max_row_decrease == 0.1
    monkeypatch.setenv("SLUICE_DATA_DIR", "/srv/mine")
    monkeypatch.setenv("SLUICE_TARGET", "spark")
    assert (str(project_settings.load().data_dir), project_settings.load().target) == ("/srv/mine", "spark")
    assert (str(project_settings.load("prod").data_dir), project_settings.load("prod").target) == (
        "/srv/prod",
        "duckdb",
    )


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("retries = -1", r"retries of \[prod\].*-1"),
        ('retries = "3"', r"retries of \[prod\].*'3'"),
        ("retrys = 3", r"retrys of \[prod\]"),
        ('notify = ["pager"]', r"notify.0 of \[prod\].*'pager'"),
        ('notify_success = "no"', r"notify_success of \[prod\]"),
        ("limits = {max_row_decrease = 1.5}", r"limits.max_row_decrease of \[prod\].*1.5"),
        ("limits = {taxi = {max_row_decrease = nan}}", r"limits.taxi.max_row_decrease of \[prod\]"),
        ("limits = {tram = {max_row_decrease = 1}}", r"limits.tram of \[prod\] is for a DAG tram"),
        ("limits = 5", r"limits must be tables"),
        ('schedules = {tram = "none"}', r"schedules.tram of \[prod\] is for a DAG tram"),
        ('active_dags = ["tram"]', r"active_dags.tram of \[prod\] is for a DAG tram"),
        ('schedules = {taxi = "daily"}', r"schedules.taxi of \[prod\].*cron.*'daily'"),
        ("retries =", r"environments.toml cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named_whichever_environment_is_chosen(
    written, more: str, named: str
) -> None:
    written(VALUES + more)
    with pytest.raises(SettingsError, match=named):
        project_settings.load()


def test_a_value_that_no_environment_has_is_named(written) -> None:
    written(VALUES.replace("retries = 3", ""))
    with pytest.raises(SettingsError, match=r"retries of \[dev\].*required"):
        project_settings.load()


def test_an_environment_that_is_not_there_is_named(written, monkeypatch) -> None:
    written(VALUES)
    monkeypatch.setenv("SLUICE_ENV", "production")
    with pytest.raises(SettingsError, match="SLUICE_ENV is 'production'.*dev, prod"):
        project_settings.load()


def test_the_file_of_the_project_has_dev_staging_and_prod() -> None:
    folders = {project_settings.load(name).data_dir for name in ("staging", "prod")}
    assert len(folders | {project_settings.load("dev").data_dir}) == 3


def test_where_to_ask_airflow_is_known_to_child_processes_and_its_password_to_nobody_else(
    monkeypatch,
) -> None:
    access = {
        "SLUICE_AIRFLOW_URL": "https://airflow.example.org/",
        "SLUICE_AIRFLOW_USERNAME": "ops",
        "SLUICE_AIRFLOW_PASSWORD": "not-for-any-log",
    }
    for name, value in access.items():
        monkeypatch.setenv(name, value)
    settings = project_settings.load()
    assert (
        settings.environment().items()
        >= (access | {"SLUICE_AIRFLOW_URL": "https://airflow.example.org"}).items()
    )
    assert "not-for-any-log" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLUICE_AIRFLOW_URL", "airflow:8080"),
        ("SLUICE_AIRFLOW_URL", "http://ops:not-for-any-log@airflow:8080"),
        ("SLUICE_AIRFLOW_PASSWORD", ""),
        ("SLUICE_DASHBOARD_URL", "here"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(monkeypatch, name: str, value: str) -> None:
    monkeypatch.setenv("SLUICE_AIRFLOW_URL", "http://127.0.0.1:8080")
    monkeypatch.setenv("SLUICE_AIRFLOW_USERNAME", "ops")
    monkeypatch.setenv("SLUICE_AIRFLOW_PASSWORD", "not-for-any-log")
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as raised:
        project_settings.load()
    assert "not-for-any-log" not in str(raised.value)


def test_a_server_needs_its_password_and_shows_it_to_nobody_but_children(monkeypatch) -> None:
    monkeypatch.delenv("SLUICE_POSTGRES_PASSWORD", raising=False)
    monkeypatch.setenv("SLUICE_TARGET", "postgres")
    with pytest.raises(SettingsError, match="target postgres needs SLUICE_POSTGRES_PASSWORD"):
        project_settings.load()
    monkeypatch.setenv("SLUICE_POSTGRES_PASSWORD", "a secret")
    settings = project_settings.load()
    assert str(settings.postgres) == "sluice@127.0.0.1:5432/sluice"
    assert "a secret" not in f"{settings!r} {settings.postgres!r} {settings.postgres}"
    assert settings.environment()["SLUICE_POSTGRES_PASSWORD"] == "a secret"
    assert (settings.warehouse_writers, settings.warehouse_name) == (4, "dev_postgres")
    for variable, text in {"SLUICE_POSTGRES_PORT": "65536", "SLUICE_WAREHOUSE_WRITERS": "0"}.items():
        with monkeypatch.context() as other:
            other.setenv(variable, text)
            with pytest.raises(SettingsError, match=f"{variable} must be"):
                project_settings.load()


def test_a_file_has_one_writer_and_no_server(monkeypatch) -> None:
    monkeypatch.setenv("SLUICE_POSTGRES_PASSWORD", "a secret")
    monkeypatch.setenv("SLUICE_WAREHOUSE_WRITERS", "8")
    settings = project_settings.load()
    assert (settings.postgres, settings.warehouse_writers, settings.warehouse_name) == (None, 1, "dev")
    assert "SLUICE_POSTGRES_PASSWORD" not in settings.environment()
