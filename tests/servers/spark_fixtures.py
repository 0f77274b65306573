"""A Spark server for a module's tests, and settings that lead each test to a catalog without tables on it."""

from collections.abc import Iterator

import pytest

import settings as project_settings
from settings import Settings
from settings.warehouse import SparkServer
from tests.servers.spark import spark as running_spark
from warehouse.spark_sql import SparkSql, backquoted, session


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkServer]:
    """A running server."""
    with running_spark(tmp_path_factory.mktemp("spark")) as running:
        yield running


@pytest.fixture
def spark(server: SparkServer) -> Iterator[SparkSql]:
    """A session on the server."""
    with session(server) as opened:
        yield opened


@pytest.fixture
def settings(
    server: SparkServer, spark: SparkSql, data_dir: Settings, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings with a data folder and a lake of the test's own, for this process and for those that it starts."""
    for (schema,) in spark.run("show schemas"):
        if schema != "default":
            spark.run(f"drop schema {backquoted(schema)} cascade")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLUICE_TARGET", "spark")
    monkeypatch.delenv("SLUICE_SPARK_LAKE")
    settings = project_settings.load()
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    return settings


__all__ = ["server", "settings", "spark"]
