"""What parsing a DAG needs."""

import pytest

import settings
from local_airflow.configuration import airflow_environment, dag_names
from tests.dags.parsing import parse
from tests.once import once


@pytest.fixture(scope="session")
def environment(tmp_path_factory, project):
    # dev has no schedules.
    where = project.put(settings.Settings(data_dir=tmp_path_factory.mktemp("data"), env="prod"))
    return airflow_environment(where, port=1)


@pytest.fixture(scope="session")
def two_parses(environment, shared_folder):
    """Two parses of a DAG, each by a process of its own."""

    def make():
        return [parse(dag_names(), environment, PYTHONHASHSEED=seed) for seed in ("1", "7")]

    parses = once(shared_folder / "two_parses.json", make)
    return lambda name: [parse[name] for parse in parses]


@pytest.fixture(scope="session")
def other_schedules(environment):
    """A parse of the DAGs whose schedules the environment replaces."""
    replaced = {"TAXI": "@monthly", "ECOMMERCE": "15 4 * * *", "SALES": "15 * * * *"}
    schedules = {f"SLUICE_SCHEDULE_{domain}": schedule for domain, schedule in replaced.items()}
    names = [domain.lower() for domain in replaced]
    return parse(names, environment, SLUICE_START_TAXI="2024-05-01", **schedules)


@pytest.fixture(scope="session")
def no_schedules(environment):
    """A parse of the DAGs whose schedules the environment takes away."""
    names = ["taxi", "sales"]
    return parse(names, environment, **{f"SLUICE_SCHEDULE_{name.upper()}": "none" for name in names})
