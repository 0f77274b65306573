"""Spark's SQL server as a process on this machine, with its own catalog."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from settings.warehouse import SparkServer
from warehouse.interface import WarehouseUnavailableError
from warehouse.spark_sql import session

START_SECONDS = 180
STOP_SECONDS = 20
LOG_CHARACTERS = 2000


class SparkMissingError(RuntimeError):
    """Spark or Java is not installed; the message says how to install it."""


@contextmanager
def spark_server(
    server: SparkServer, folder: Path, options: Mapping[str, str] | None = None, java: str = ""
) -> Iterator[subprocess.Popen]:
    """Run a server until the block ends.

    Args:
        server: its address and port, and the cluster that does the work.
        folder: the folder for its catalog, its log and temporary files.
        options: further Spark settings.
        java: further Java options.

    Raises:
        SparkMissingError: Spark or Java is not installed.
        WarehouseUnavailableError: it did not start.
    """
    home = spark_home()
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": server.host,
        "spark.driver.host": server.host,
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -Duser.timezone=UTC {java}",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder}/metastore;create=true",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.session.timeZone": "UTC",
        # Writing plans out for the UI takes longer than reading a small table.
        "spark.sql.ui.explainMode": "simple",
        "spark.sql.maxPlanStringLength": "1000",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        **(options or {}),
    }
    hive = {
        "hive.server2.thrift.bind.host": server.host,
        "hive.server2.thrift.port": str(server.port),
        "hive.exec.scratchdir": str(folder / "hive"),
        "hive.server2.logging.operation.enabled": "false",
    }
    command = [str(home / "bin" / "spark-submit"), "--master", server.master, "--name", "sluice"]
    command += [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    command += ["--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal"]
    command += [word for name, value in hive.items() for word in ("--hiveconf", f"{name}={value}")]
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": server.host},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(server, process, log)
        yield process
    finally:
        # The shell of spark-submit has become the Java process; SIGTERM shuts it down in order.
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)


def spark_home() -> Path:
    """Return the folder of Spark's programs, which the Python package contains.

    Raises:
        SparkMissingError: Spark or Java is not installed.
    """
    if not shutil.which("java"):
        raise SparkMissingError(
            "Spark needs Java 17, which is not installed (Debian: apt-get install openjdk-17-jre-headless)"
        )
    package = importlib.util.find_spec("pyspark")
    if not package or not package.origin:
        raise SparkMissingError(
            "Spark is not installed: .venv/bin/uv pip install --python .venv/bin/python 'pyspark~=4.0'"
        )
    return Path(package.origin).parent


def unused_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(server: SparkServer, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            # Checked first, because thrift logs every failed connection.
            socket.create_connection((server.host, server.port), timeout=1).close()
            with session(server) as spark:
                spark.run("select 1")
                return
        except (OSError, WarehouseUnavailableError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-LOG_CHARACTERS:]
                raise WarehouseUnavailableError(
                    f"Spark did not start at {server}, see {log}:\n{tail}"
                ) from error
            time.sleep(0.2)
