"""A Spark thrift server of a test's own: on loopback, with its metastore and tables in a folder, gone at the end."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers.postgres import loopback_port

START_SECONDS = 120
STOP_SECONDS = 20
USER = "sluice"


class Spark:
    """A driver with two threads as its executors, which answers SQL by Hive's protocol.

    Making it skips the test where pyspark or Java is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._home = _home()
        self._folder = folder
        self._server: subprocess.Popen | None = None
        self._connections = threading.local()
        self.host = "127.0.0.1"
        self.port = loopback_port()
        #: Tables that say no place of their own are here: `<schema>.db/<table>`.
        self.warehouse = folder / "warehouse"
        self.log = folder / "server.log"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": self.host,
            "spark.driver.host": self.host,
            "spark.driver.memory": "2g",
            "spark.driver.extraJavaOptions": f"-Dderby.system.home={self._folder} -Duser.timezone=UTC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m",
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={self._folder}/metastore;create=true",
            "spark.local.dir": str(self._folder / "scratch"),
            "spark.sql.session.timeZone": "UTC",
            # The tables are small.
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(self.warehouse),
        }
        hive = {
            "hive.server2.thrift.bind.host": self.host,
            "hive.server2.thrift.port": str(self.port),
            "hive.exec.scratchdir": str(self._folder / "hive"),
            "hive.server2.logging.operation.enabled": "false",
        }
        flags = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(
                [self._home / "bin" / "spark-submit", "--master", "local[2]", "--name", "sluice-test", *flags,
                 "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal",
                 *(word for name, value in hive.items() for word in ("--hiveconf", f"{name}={value}"))],
                cwd=self._folder,
                env={**os.environ, "SPARK_HOME": str(self._home), "SPARK_LOCAL_IP": self.host},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Spark did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the server; what it was doing is cut off."""
        if self._server:
            # The shell that spark-submit is has become the Java process; SIGTERM ends it in order.
            self._server.terminate()
            try:
                self._server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait(STOP_SECONDS)
            self._server = None

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement in a session of the calling thread's; return its rows, if it has any."""
        if not hasattr(self._connections, "own"):
            self._connections.own = self._connect()
        with self._connections.own.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def variables(self) -> dict[str, str]:
        """The variables by which dbt finds the server."""
        return {
            "SLUICE_TARGET": "spark",
            "SLUICE_SPARK_HOST": self.host,
            "SLUICE_SPARK_PORT": str(self.port),
            "SLUICE_SPARK_USER": USER,
        }

    def _connect(self) -> Any:
        from pyhive import hive

        return hive.connect(self.host, self.port, username=USER)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            # It listens when it is ready.
            return probe.connect_ex((self.host, self.port)) == 0


@contextmanager
def spark(folder: Path) -> Iterator[Spark]:
    """A running server, which is gone afterwards; its tables, metastore and log stay in the folder."""
    server = Spark(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _home() -> Path:
    """Folder of Spark's programs and jars: that of the Python package, which has all of them."""
    for package in ("pyspark", "pyhive"):
        if not importlib.util.find_spec(package):
            pytest.skip(f"{package} is not installed (pip install 'dbt-spark[PyHive]' 'pyspark>=4')")
    if not shutil.which("java"):
        pytest.skip("Java is not installed (Debian: apt-get install openjdk-17-jre-headless)")
    return Path(importlib.util.find_spec("pyspark").origin).parent
