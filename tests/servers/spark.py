"""A Spark server of a test's own: on loopback, with its catalog and tables in a folder, gone at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from settings.warehouse import SparkServer
from warehouse.spark_server import SparkMissingError, spark_home, spark_server, unused_port

# Tables are small here, and what a compiler gains in a short life is less than what it costs.
FEW = {"spark.sql.shuffle.partitions": "2", "spark.driver.memory": "1500m"}
JAVA = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"


def need_spark() -> None:
    """Skip the test where Spark or Java is not installed."""
    try:
        spark_home()
    except SparkMissingError as error:
        pytest.skip(str(error))


@contextmanager
def spark(folder: Path) -> Iterator[SparkServer]:
    """A running server with two threads as its cluster; skips the test where Spark or Java is not installed."""
    need_spark()
    server = SparkServer(port=unused_port(), lake=folder / "lake", master="local[2]")
    with spark_server(server, folder, FEW, java=JAVA):
        yield server
