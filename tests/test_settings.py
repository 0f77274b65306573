"""The settings: where each value comes from, and what an error says about an invalid one."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, get_args

import pytest

import ingestion.sources
import settings as project_settings
from settings import PROJECT_DIR, SettingsError, environments
from settings.settings import DOMAIN_PREFIXES
from settings.variables import EnvSettings


def test_the_environment_replaces_the_schedule_of_a_dag(monkeypatch) -> None:
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
def test_an_invalid_schedule_is_an_error_of_its_domain_only(monkeypatch, text: str) -> None:
    monkeypatch.setenv("SLUICE_SCHEDULE_ECOMMERCE", text)
    settings = project_settings.load()
    assert settings.schedule("taxi", "@daily") == "@daily"
    with pytest.raises(
        SettingsError, match=f"SLUICE_SCHEDULE_ECOMMERCE: must be a cron.*{re.escape(repr(text))}"
    ):
        settings.schedule("ecommerce", "@daily")


@pytest.mark.parametrize("prefix", DOMAIN_PREFIXES)
def test_a_variable_for_an_unknown_domain_is_found(monkeypatch, prefix: str) -> None:
    monkeypatch.setenv(f"{prefix}TAXI", "none")
    project_settings.load().check_domain_variables()
    monkeypatch.setenv(f"{prefix}TRAM", "none")
    settings = project_settings.load()
    with pytest.raises(SettingsError, match=f"{prefix}TRAM is for a DAG tram, but dags/tram.py"):
        settings.check_domain_variables()


def test_start_and_download_url_of_a_domain_come_from_its_variables(monkeypatch) -> None:
    settings = project_settings.load()
    assert (settings.start("taxi", date(2021, 1, 1)), settings.download_url("taxi")) == (
        date(2021, 1, 1),
        None,
    )
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
        ("SLUICE_DOWNLOAD_URL_TAXI", "ftp://secret@example.org/{month}.csv"),
        ("SLUICE_DOWNLOAD_URL_TAXI", "https://secret@example.org/{month}/trips.csv"),
    ],
)
def test_an_invalid_start_or_download_url_names_the_variable(monkeypatch, variable: str, text: str) -> None:
    monkeypatch.setenv(variable, text)
    settings = project_settings.load()
    read = settings.download_url if "URL" in variable else partial(settings.start, default=date(2021, 1, 1))
    with pytest.raises(SettingsError, match=variable) as caught:
        read("taxi")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("SLUICE_TARGET", "postgress", "must be 'duckdb', 'postgres' or 'spark', not 'postgress'"),
        ("SLUICE_MEMORY_LIMIT", "much", "must be a size such as 2GB or 512MiB"),
        ("SLUICE_FILE_STABLE_SECONDS", "soon", "must be a valid number, not 'soon'"),
        ("SLUICE_FILE_STABLE_SECONDS", "-1", "must be greater than or equal to 0, not '-1'"),
        ("SLUICE_DATA_DIR", __file__, "must be a folder, but .* is a file"),
    ],
)
def test_an_invalid_variable_is_named_with_what_is_allowed(
    monkeypatch, variable: str, text: str, message: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=f"^{variable}: {message}"):
        project_settings.load()


def test_all_invalid_variables_are_named_at_once(monkeypatch) -> None:
    monkeypatch.setenv("SLUICE_TARGET", "postgress")
    monkeypatch.setenv("SLUICE_MEMORY_LIMIT", "much")
    with pytest.raises(SettingsError, match="^SLUICE_TARGET: .*; SLUICE_MEMORY_LIMIT: [^;]*$"):
        project_settings.load()


VALUES = """
[default]
data_dir = "data"
target = "duckdb"
schedules = {}
active_dags = []
catch_up = true
retries = 3
task_hours = 6
approval_hours = 0
unusual_values = "report"
notify = []
notify_success = false
limits = { max_row_decrease = 0.1, max_row_increase = inf, max_total_decrease = 0.1, max_total_increase = inf, max_days_back = 7, max_null_increase = 0.05 }
[dev]
[prod]
"""


@pytest.fixture
def write_file(tmp_path: Path, monkeypatch) -> Callable[[str], int]:
    """Writes a file that is read in place of environments.toml."""
    file = tmp_path / "environments.toml"
    monkeypatch.setattr(environments, "FILE", file)
    monkeypatch.delenv("SLUICE_ENV", raising=False)
    return file.write_text


def test_an_environment_replaces_single_values_and_variables_replace_those(write_file, monkeypatch) -> None:
    write_file(
        VALUES + 'data_dir = "/srv/prod"\nretries = 5\nnotify = ["email", "webhook"]\nnotify_success = true\n'
        'schedules = {taxi = "@daily"}\nlimits = {max_row_decrease = 0.2, taxi = {max_days_back = 40}}\n'
    )
    monkeypatch.delenv("SLUICE_DATA_DIR", raising=False)
    dev, prod = project_settings.load(), project_settings.load("prod")
    assert (dev.env, dev.data_dir, dev.retries) == ("dev", PROJECT_DIR / "data", 3)
    assert (dev.notify, dev.notify_success) == ([], False)
    assert (prod.env, str(prod.data_dir), prod.retries) == ("prod", "/srv/prod", 5)
    assert (prod.notify, prod.notify_success) == (["email", "webhook"], True)
    assert (prod.schedule("taxi", None), prod.schedule("ecommerce", "@hourly")) == ("@daily", "@hourly")
    assert [prod.limits_of(domain).max_row_decrease for domain in ("taxi", "ecommerce")] == [0.2, 0.2]
    assert [prod.limits_of(domain).max_days_back for domain in ("taxi", "ecommerce")] == [40, 7]
    assert prod.limits_of("taxi").max_row_increase == float("inf")
    assert dev.limits_of("taxi").max_row_decrease == 0.1
    monkeypatch.setenv("SLUICE_DATA_DIR", "/srv/mine")
    monkeypatch.setenv("SLUICE_TARGET", "spark")
    monkeypatch.setenv("SLUICE_NOTIFY_SUCCESS", "0")
    own, prod = project_settings.load(), project_settings.load("prod")
    assert (str(own.data_dir), own.target) == ("/srv/mine", "spark")
    # Data folder and target of another environment are not those of this one's variables.
    assert (str(prod.data_dir), prod.target, prod.notify_success) == ("/srv/prod", "duckdb", False)


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
def test_an_invalid_key_is_named_whichever_environment_is_read(write_file, more: str, named: str) -> None:
    write_file(VALUES + more)
    with pytest.raises(SettingsError, match=named):
        project_settings.load()


def test_a_missing_key_is_named(write_file) -> None:
    write_file(VALUES.replace("retries = 3", ""))
    with pytest.raises(SettingsError, match=r"retries of \[dev\].*required"):
        project_settings.load()


def test_an_unknown_environment_is_named(write_file, monkeypatch) -> None:
    write_file(VALUES)
    monkeypatch.setenv("SLUICE_ENV", "production")
    with pytest.raises(SettingsError, match="SLUICE_ENV is 'production'.*dev, prod"):
        project_settings.load()


def test_the_file_of_the_project_has_dev_staging_and_prod() -> None:
    folders = {project_settings.load(name).data_dir for name in ("staging", "prod")}
    assert len(folders | {project_settings.load("dev").data_dir}) == 3


AIRFLOW = {
    "SLUICE_AIRFLOW_URL": "https://airflow.example.org/",
    "SLUICE_AIRFLOW_USERNAME": "ops",
    "SLUICE_AIRFLOW_PASSWORD": "not-for-any-log",
}


def test_children_get_the_access_to_airflow_and_no_log_shows_the_password(monkeypatch) -> None:
    for name, value in AIRFLOW.items():
        monkeypatch.setenv(name, value)
    settings = project_settings.load()
    expected = AIRFLOW | {"SLUICE_AIRFLOW_URL": "https://airflow.example.org"}
    assert settings.environment().items() >= expected.items()
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
def test_an_invalid_address_is_named(monkeypatch, name: str, value: str) -> None:
    for variable, text in (AIRFLOW | {name: value}).items():
        monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=name) as raised:
        project_settings.load()
    assert "not-for-any-log" not in str(raised.value)


def test_the_target_postgres_requires_a_password_and_only_children_get_it(monkeypatch) -> None:
    monkeypatch.delenv("SLUICE_POSTGRES_PASSWORD", raising=False)
    monkeypatch.setenv("SLUICE_TARGET", "postgres")
    with pytest.raises(SettingsError, match="^SLUICE_POSTGRES_PASSWORD is not set"):
        project_settings.load()
    monkeypatch.setenv("SLUICE_POSTGRES_PASSWORD", "a secret")
    settings = project_settings.load()
    assert str(settings.postgres) == "sluice@127.0.0.1:5432/sluice"
    assert "a secret" not in f"{settings!r} {settings.postgres!r} {settings.postgres}"
    assert settings.environment()["SLUICE_POSTGRES_PASSWORD"] == "a secret"
    assert (settings.writers, settings.warehouse_name) == (4, "dev_postgres")
    for variable, text in {"SLUICE_POSTGRES_PORT": "65536", "SLUICE_WAREHOUSE_WRITERS": "0"}.items():
        with monkeypatch.context() as other:
            other.setenv(variable, text)
            with pytest.raises(SettingsError, match=f"{variable}: must be"):
                project_settings.load()


def test_the_target_duckdb_has_one_writer_and_no_server(monkeypatch) -> None:
    monkeypatch.setenv("SLUICE_POSTGRES_PASSWORD", "a secret")
    monkeypatch.setenv("SLUICE_WAREHOUSE_WRITERS", "8")
    settings = project_settings.load()
    assert (settings.postgres, settings.writers, settings.warehouse_name) == (None, 1, "dev")
    assert "SLUICE_POSTGRES_PASSWORD" not in settings.environment()


def declared() -> Iterator[tuple[str, Any]]:
    """All variables that settings are read from, with their fields."""
    for module in pkgutil.iter_modules(ingestion.sources.__path__):
        importlib.import_module(f"ingestion.sources.{module.name}")
    classes = [EnvSettings]
    for each in classes:
        classes += each.__subclasses__()
        for name, field in each.model_fields.items():
            groups = [kind for kind in (field.annotation, *get_args(field.annotation)) if kind in classes]
            if each.model_config["env_prefix"] and not groups:
                yield each.variable(name), field


def test_every_variable_is_documented() -> None:
    text = (PROJECT_DIR / "docs" / "settings.md").read_text()
    documented = {
        name for row in re.findall(r"^\| (`.*?) \|", text, re.M) for name in re.findall(r"`(.*?)`", row)
    }
    in_dbt = {
        name
        for file in [PROJECT_DIR / "profiles.yml", *(PROJECT_DIR / "dbt_project" / "macros").rglob("*.sql")]
        for name in re.findall(r"env_var\('(SLUICE_\w+)'", file.read_text())
    }
    by_domain = {f"{prefix}<DOMAIN>" for prefix in DOMAIN_PREFIXES}
    assert documented == {name for name, _ in declared()} | in_dbt | by_domain
    for name, field in declared():
        if field.description:
            assert re.search(rf"^\| `{name}` \|.*\| {re.escape(field.description)} \|$", text, re.M), name
