"""The Spark cluster of docker-compose.yaml: what is loaded is the worker's to read, and to build and publish from."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
import pytest
from dotenv import dotenv_values

from settings.warehouse import SparkServer
from tests.deployment.containers import Containers
from tests.servers.spark import need_spark
from warehouse.spark_sql import session

pytestmark = pytest.mark.long

MONTH, ROWS = "2024-05", 500


@pytest.fixture(scope="module")
def cluster(image: Path) -> Iterator[Containers]:
    """The services of Spark's, and what they need, with trips that are loaded."""
    need_spark()
    containers = Containers(image, dotenv_values(image / ".env") | {"SLUICE_TARGET": "spark"})
    try:
        containers.up("scale", "spark-thrift")
        options = ["--months", MONTH, "--rows", str(ROWS), "--defects", "none"]
        run(containers, "samples", "taxi", *options)
        run(containers, "load", "taxi")
        yield containers
    finally:
        containers.down()


def run(cluster: Containers, *arguments: str) -> None:
    """Run `sluice …` as `docker compose run init` does: all services of Airflow's have one environment."""
    service = cluster.of("init")[0]
    assert service.run(["sluice", *arguments]), service.tail()


def test_the_worker_reads_what_was_loaded(cluster: Containers) -> None:
    host, port = urlsplit(cluster.url("spark-thrift", 10000)).netloc.split(":")
    with session(SparkServer(host=host, port=int(port), lake=Path())) as spark:
        assert spark.run("select count(*), count(distinct _row_id) from raw_taxi.trips") == [(ROWS, ROWS)]
    found = httpx.get(f"{cluster.url('spark-master', 8080)}/json/").json()
    assert [worker["state"] for worker in found["workers"]] == ["ALIVE"]
    assert [application["cores"] for application in found["activeapps"]] == [2]


def test_a_pipeline_is_built_by_the_worker_and_published(cluster: Containers, image: Path) -> None:
    run(cluster, "run", "taxi")
    with duckdb.connect(
        str(image / "data" / "lake" / "published" / "taxi.duckdb"), read_only=True
    ) as published:
        assert published.execute("select count(*) from marts.fct_trips").fetchone() == (ROWS,)
