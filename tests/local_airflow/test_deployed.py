"""Airflow's configuration in a deployment."""

import pytest

import settings as project_settings
from local_airflow.configuration import airflow_environment
from local_airflow.local import LocalAirflow
from local_airflow.processes import AirflowError
from settings import Settings, SettingsError

SECRETS = {
    "SLUICE_METADATA_PASSWORD": "p@ss/word:1",
    "SLUICE_FERNET_KEY": "a-fernet",
    "SLUICE_JWT_SECRET": "a-jwt",
    "SLUICE_SESSION_KEY": "a-session",
    "SLUICE_AIRFLOW_PASSWORD": "of-the-ui",
}
ADDRESSES = {
    "SLUICE_METADATA_URL": "postgresql://airflow@db.example.org:6543/meta",
    "SLUICE_AIRFLOW_URL": "http://api-server:8099",
    "SLUICE_AIRFLOW_USERNAME": "admin",
}


@pytest.fixture
def deployed(data_dir: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, text in {**SECRETS, **ADDRESSES}.items():
        monkeypatch.setenv(name, text)
    return project_settings.load()


def own_options(environment: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in environment.items() if name.startswith("AIRFLOW__")}


def test_only_addresses_secrets_and_how_files_are_read_again_differ_from_a_local_airflow(deployed):
    services = own_options(airflow_environment(deployed))
    here = own_options(airflow_environment(deployed.model_copy(update={"deployment": None})))
    assert services.keys() == here.keys()
    assert {name for name, text in services.items() if text != here[name]} == {
        "AIRFLOW__API__BASE_URL",
        "AIRFLOW__API__PORT",
        "AIRFLOW__API__SECRET_KEY",
        "AIRFLOW__API_AUTH__JWT_SECRET",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    }
    assert services["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == (
        "postgresql+psycopg2://airflow:p%40ss%2Fword%3A1@db.example.org:6543/meta"
    )
    assert services["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://api-server:8099/execution/"
    assert services["AIRFLOW__API__PORT"] == "8099"


def test_a_broker_selects_celery(deployed, monkeypatch):
    monkeypatch.setenv("SLUICE_BROKER_URL", "redis://redis:6379/0")
    with pytest.raises(SettingsError, match="SLUICE_BROKER_PASSWORD is not set.*make env"):
        project_settings.load()
    monkeypatch.setenv("SLUICE_BROKER_PASSWORD", "b@roker")
    options = own_options(airflow_environment(project_settings.load()))
    assert options["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert options["AIRFLOW__CELERY__BROKER_URL"] == "redis://:b%40roker@redis:6379/0"
    assert (
        options["AIRFLOW__CELERY__RESULT_BACKEND"] == f"db+{options['AIRFLOW__DATABASE__SQL_ALCHEMY_CONN']}"
    )


def test_operators_may_set_options_of_a_deployment_only(deployed, monkeypatch):
    option = "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"
    monkeypatch.setenv(option, "7")
    assert airflow_environment(deployed)[option] == "7"
    assert airflow_environment(deployed.model_copy(update={"deployment": None}))[option] == "60"


def test_settings_survive_the_environment_and_show_no_secret(deployed, monkeypatch):
    for name, text in deployed.environment().items():
        monkeypatch.setenv(name, text)
    assert project_settings.load() == deployed
    assert not [text for text in SECRETS.values() if text in repr(deployed)]


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SLUICE_METADATA_URL", "postgresql://airflow:s3cret@postgres/airflow"),
        ("SLUICE_METADATA_URL", "sqlite:///s3cret.db"),
        ("SLUICE_BROKER_URL", "redis://:s3cret@redis:6379/0"),
        ("SLUICE_PUBLIC_URL", "s3cret"),
    ],
)
def test_an_invalid_address_is_named_without_its_value(deployed, monkeypatch, variable, text):
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=f"{variable}: must be a URL such as") as error:
        project_settings.load()
    assert "s3cret" not in str(error.value)


def test_without_the_address_of_the_api_server_it_says_so(deployed, monkeypatch):
    monkeypatch.delenv("SLUICE_AIRFLOW_URL")
    with pytest.raises(SettingsError, match="SLUICE_METADATA_URL needs SLUICE_AIRFLOW_URL"):
        project_settings.load()


def test_no_second_airflow_starts_beside_the_services(deployed):
    with pytest.raises(AirflowError, match="docs/deployment.md"), LocalAirflow(deployed):
        pass
    assert not (deployed.airflow_home / "lock").exists()
