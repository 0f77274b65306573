"""What parsing a DAG needs."""

from functools import cache

import pytest

import settings
from operations.dbt import ensure_manifest
from runtime.configuration import airflow_environment
from tests.dags.parsing import parse


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    # dev has no schedules.
    where = settings.Settings(data_dir=tmp_path_factory.mktemp("data"), env="prod")
    ensure_manifest(where)
    return airflow_environment(where, port=1)


@pytest.fixture(scope="session")
def two_parses(environment):
    """Two parses of a DAG, each by a process of its own."""
    return cache(lambda name: [parse(name, environment, PYTHONHASHSEED=seed) for seed in ("1", "7")])
