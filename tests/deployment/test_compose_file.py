"""docker-compose.yaml, the Dockerfile and .env, as far as they can be judged without Docker."""

import re
import stat
import subprocess
import sys

import pytest
from dotenv import dotenv_values

from settings import PROJECT_DIR, Deployment
from tests.deployment import compose
from tests.deployment.conftest import make_env
from tests.deployment.containers import Containers
from tests.sluice import SLUICE

# Ends by itself: others wait for its success.
ONE_SHOT = "init"


def test_the_file_keeps_to_the_compose_specification():
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", compose.FILE],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout


def test_every_service_is_watched_restarted_and_limited(variables):
    services = compose.read(variables)["services"]
    for name, service in services.items():
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        if name == ONE_SHOT:
            assert service["restart"] == "on-failure:3"
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        waited_for = {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
        assert {waited_for.pop(ONE_SHOT, None)} <= {None, "service_completed_successfully"}, name
        assert set(waited_for.values()) <= {"service_healthy"}, name
    mounted = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert {volume for volume in mounted if not volume.startswith("./")} == compose.read(variables)[
        "volumes"
    ].keys()


def test_one_service_builds_the_image_of_all(variables):
    """Several that build one name collide; one that does not build it asks a registry for it, unless told not to."""
    services = compose.read(variables)["services"]
    own = {name: service for name, service in services.items() if service["image"] == "sluice"}
    assert [name for name, service in own.items() if "build" in service] == [ONE_SHOT]
    assert own.pop(ONE_SHOT)["pull_policy"] == "missing"
    assert {service["pull_policy"] for service in own.values()} == {"never"}


def test_no_service_has_more_rights_than_it_needs(variables):
    services = compose.read(variables)["services"]
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"] <= 1024, name
        # What its image needs to go on as another user than root.
        added = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
        assert {*service.get("cap_add", [])} == (
            added if service["image"].startswith("postgres:") else set()
        ), name


def test_databases_broker_and_spark_are_on_a_network_of_their_own(variables):
    found = compose.read(variables)
    assert found["networks"]["inside"] == {"internal": True}
    outside = {name for name, service in found["services"].items() if "outside" in service["networks"]}
    assert outside.isdisjoint(
        {"postgres", "redis", "spark-master", "spark-worker", "spark-thrift", "marquez-db"}
    )
    for name, service in found["services"].items():
        assert "inside" in service["networks"], name
        # A port is published by the network that is not internal.
        assert not service.get("ports") or name in outside, name


def test_ports_are_of_loopback_unless_a_variable_says_otherwise(variables):
    def addresses(**more: str) -> set[str]:
        services = compose.read({**variables, **more})["services"].values()
        return {mapping.split(":")[0] for service in services for mapping in service.get("ports", [])}

    assert addresses() == {"127.0.0.1"}
    assert addresses(SLUICE_BIND_ADDRESS="0.0.0.0") == {"0.0.0.0"}


LINEAGE = {"marquez", "marquez-db", "marquez-web"}


def test_a_receiver_of_lineage_is_a_profile_that_leaves_the_executor_alone(variables):
    services = compose.read(variables)["services"]
    assert {name for name, service in services.items() if service.get("profiles") == ["lineage"]} == LINEAGE
    # No other service waits for it, nor has it a secret of theirs.
    for name, service in services.items():
        if name not in LINEAGE:
            assert not LINEAGE & service.get("depends_on", {}).keys(), name
    secrets = {text for variable, text in variables.items() if variable in compose.needed()}
    for name in LINEAGE:
        assert not secrets & {*services[name]["environment"].values()}, name


def test_only_the_profile_starts_more_and_it_is_the_switch_of_the_executor(variables):
    def broker(name: str) -> str:
        return compose.read(variables)["services"][name]["environment"]["SLUICE_BROKER_URL"]

    variables = dict(variables)
    services = compose.read(variables)["services"]
    services = {name: service for name, service in services.items() if name not in LINEAGE}
    assert {profile for service in services.values() for profile in service.get("profiles", [])} == {"scale"}
    always = compose.active(services, variables).keys()
    assert {
        "postgres",
        "init",
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "dashboard",
    } == always
    assert broker("scheduler") == ""
    variables["COMPOSE_PROFILES"] = "scale"
    assert compose.active(services, variables).keys() == services.keys()
    assert broker("scheduler") == broker("worker") == "redis://redis:6379/0"
    assert services["worker"]["deploy"]["replicas"] == 2


def test_make_env_writes_what_has_no_default_and_each_secret_is_another(variables):
    secrets = {name: text for name, text in variables.items() if name != "COMPOSE_PROFILES"}
    assert compose.needed() == secrets.keys()
    assert len({*secrets.values()}) == len(secrets)
    assert all(len(text) >= 43 for text in secrets.values())
    for name in secrets:
        with pytest.raises(compose.MissingVariableError, match=f"{name} is missing a value: run make env"):
            compose.read({**variables, name: ""})


def test_make_env_keeps_secrets_to_the_user_and_never_overwrites(tmp_path):
    assert make_env(tmp_path).returncode == 0
    file = tmp_path / ".env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    again = make_env(tmp_path)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert file.read_bytes() == before
    secrets = [text for name, text in dotenv_values(file).items() if name != "COMPOSE_PROFILES"]
    assert not any(text in again.stderr + again.stdout for text in secrets)


def test_make_env_is_what_the_makefile_says():
    said = subprocess.run(["make", "--dry-run", "env"], cwd=PROJECT_DIR, capture_output=True, text=True)
    assert said.stdout.strip() == "sh deployment/env.sh"


@pytest.mark.parametrize(
    "missing",
    ["SLUICE_FERNET_KEY", "SLUICE_AIRFLOW_PASSWORD", "SLUICE_METADATA_PASSWORD", "SLUICE_BROKER_PASSWORD"],
)
def test_a_service_names_the_secret_that_it_lacks(variables, tmp_path, missing):
    service = compose.read({**variables, "COMPOSE_PROFILES": "scale"})["services"]["scheduler"]
    environment = compose.environment(service, tmp_path) | {"SLUICE_DATA_DIR": str(tmp_path), missing: ""}
    done = subprocess.run(
        [*SLUICE, "airflow", "exec", "true"],
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert f"{missing} is not set" in done.stderr
    assert "make env" in done.stderr


def test_services_share_every_variable_of_a_deployment(variables):
    """What the settings know of a deployment stands in the file, and nothing else of it."""
    services = compose.read({**variables, "COMPOSE_PROFILES": "scale"})["services"]
    names = {field: f"SLUICE_{field.upper()}" for field in Deployment.model_fields}
    for name, service in services.items():
        if service.get("entrypoint", [])[:2] == ["sluice", "airflow"]:
            assert set(names.values()) <= service["environment"].keys(), name
    # The superuser's password is PostgreSQL's alone; the dashboard has that of the role that only reads the warehouse.
    secret = {text for variable, text in variables.items() if variable in compose.needed()}
    shown = services["dashboard"]["environment"]
    assert secret & {*shown.values()} == {variables["SLUICE_READER_PASSWORD"]}
    reader = {
        "SLUICE_POSTGRES_USER": "sluice_reader",
        "SLUICE_POSTGRES_PASSWORD": variables["SLUICE_READER_PASSWORD"],
    }
    assert shown.items() - reader.items() <= services["scheduler"]["environment"].items()
    holders = [
        name
        for name, service in services.items()
        if variables["SLUICE_SUPERUSER_PASSWORD"] in service.get("environment", {}).values()
    ]
    assert holders == ["postgres"]


def test_a_warehouse_on_a_server_of_ones_own_is_known_to_all_who_use_it(variables):
    own = {"HOST": "db.example.org", "PORT": "6432", "DATABASE": "lake", "USER": "loader"}
    own = {f"SLUICE_POSTGRES_{name}": text for name, text in own.items()} | {"SLUICE_TARGET": "postgres"}
    services = compose.read({**variables, **own, "COMPOSE_PROFILES": "scale"})["services"]
    shown = services["dashboard"]["environment"]
    assert shown.pop("SLUICE_POSTGRES_USER") == "sluice_reader"
    shown["SLUICE_POSTGRES_USER"] = own["SLUICE_POSTGRES_USER"]
    told = {
        name for name, service in services.items() if own.items() <= service.get("environment", {}).items()
    }
    assert told == {name for name, service in services.items() if service["image"] == "sluice"}
    # Airflow's own database stays here.
    assert "@postgres:5432/" in services["scheduler"]["environment"]["SLUICE_METADATA_URL"]


def test_the_image_is_of_the_locked_airflow():
    locked = re.search(
        r"^apache-airflow==(\S+)", (PROJECT_DIR / "requirements.txt").read_text(), re.MULTILINE
    )
    base = re.search(r"^FROM (\S+)$", (PROJECT_DIR / "Dockerfile").read_text(), re.MULTILINE)
    assert re.fullmatch(rf"apache/airflow:slim-{re.escape(locked[1])}-python3\.1[123]", base[1])


def test_secrets_and_data_stay_out_of_the_image_and_out_of_git():
    ignored = (PROJECT_DIR / ".dockerignore").read_text().split()
    assert {".env", "*.env", ".git", ".venv", "data", "data-*"} <= {*ignored}
    for file in (".env", "sluice.env"):
        assert subprocess.run(["git", "check-ignore", "--quiet", file], cwd=PROJECT_DIR).returncode == 0


def test_each_role_has_its_own_database_and_no_more(variables):
    with Containers(PROJECT_DIR, variables).new_postgres() as server:
        passwords = {
            "airflow": variables["SLUICE_METADATA_PASSWORD"],
            "sluice": variables["SLUICE_POSTGRES_PASSWORD"],
        }
        for role, password in passwords.items():

            def run(sql, database, role=role, password=password):
                return server.psql(sql, database, role, password)

            (other,) = passwords.keys() - {role}
            made = "create schema work; create table work.one (x int); drop schema work cascade; select 1"
            assert run(made, role) == "1"
            for database in (other, "postgres"):
                with pytest.raises(RuntimeError, match="permission denied for database"):
                    run("select 1", database)
            for forbidden in (
                "create database more",
                "create role more",
                f"alter database {other} owner to {role}",
            ):
                with pytest.raises(RuntimeError, match=r"permission denied|must be owner"):
                    run(forbidden, role)
        # Who only reads sees what others make later, and writes nothing.
        reader = ("sluice", "sluice_reader", variables["SLUICE_READER_PASSWORD"])
        made = "create schema published_things; create table published_things.one as select 1 as x; select 1"
        server.psql(made, "sluice", "sluice", passwords["sluice"])
        assert server.psql("select x from published_things.one", *reader) == "1"
        for forbidden in (
            "insert into published_things.one values (2)",
            "create schema mine",
            "drop schema published_things",
        ):
            with pytest.raises(RuntimeError, match=r"permission denied|must be owner"):
                server.psql(forbidden, *reader)
        with pytest.raises(RuntimeError, match="permission denied for database"):
            server.psql("select 1", "airflow", *reader[1:])
        with pytest.raises(RuntimeError, match="permission denied for schema public"):
            server.psql("create table public.one (x int)", "sluice", "sluice", passwords["sluice"])
