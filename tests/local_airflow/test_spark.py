"""A Spark server on this machine, for as long as somebody wants it."""

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from cli.main import main
from settings import PROJECT_DIR, Settings
from settings.warehouse import SparkServer
from tests.servers.spark import need_spark
from tests.sluice import SLUICE
from warehouse.spark_server import unused_port
from warehouse.spark_sql import session


def test_it_is_for_the_target_spark(data_dir: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spark"]) == 2
    assert "set SLUICE_TARGET=spark" in capsys.readouterr().err


@pytest.mark.long
def test_it_answers_until_it_is_stopped(tmp_path: Path) -> None:
    need_spark()
    server = SparkServer(port=unused_port(), lake=tmp_path / "lake", master="local[1]")
    variables = {"SLUICE_TARGET": "spark", "SLUICE_DATA_DIR": str(tmp_path), **server.environment()}
    command = subprocess.Popen(
        [*SLUICE, "spark"],
        cwd=PROJECT_DIR,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdout.readline().startswith(f"Spark answers at {server}  tables in {tmp_path / 'lake'}")
    # Without what spark-submit has left behind: Java does not know that it ended, and keeps it as a zombie.
    java = [
        process
        for process in psutil.Process(command.pid).children(recursive=True)
        if process.status() != psutil.STATUS_ZOMBIE
    ]
    with session(server) as spark:
        assert spark.run("select 1 + 1") == [(2,)]
    command.send_signal(signal.SIGTERM)
    assert command.communicate(timeout=60)[1] == "stopped\n"
    assert command.returncode == 128 + signal.SIGINT
    assert java
    assert not any(process.is_running() for process in java)
