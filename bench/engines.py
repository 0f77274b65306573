"""Millions of taxi trips on each engine: load, build, test and publish, side by side, and the memory they need.

PostgreSQL is Debian's, as the tests start it, with memory for a server of its own; Spark is the Python package's, with
this machine's cores as its cluster. An engine whose programs are not here is left out.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.measuring import Ended, peak_of, progress, run, table
from settings import DBT_PROJECT_DIR, PROJECT_DIR
from settings.warehouse import SparkServer
from tests.servers.databases import database, prepare
from tests.servers.postgres import Postgres, postgres
from transformation.dbt import UNIT_TESTS, selectors
from warehouse.spark_server import SparkMissingError, spark_server, unused_port

MONTHS = [f"2023-{month:02}" for month in range(1, 11)]
ROWS = 2_000_000
# So many of the months, of two million trips each.
SIZES = (1, 10)
STAGES = {
    "load": ("-m", "cli", "load", "taxi"),
    "build and test": (
        *("-m", "dbt.cli.main", "build"),
        *("--select", *selectors("taxi"), "--exclude", UNIT_TESTS),
    ),
    "publish": ("-m", "cli", "publish", "taxi"),
}
ENGINES = ("duckdb", "postgres", "spark")
# Of a server with 4 GiB for PostgreSQL, by what its documentation advises.
SERVER_MEMORY = {"shared_buffers": "1GB", "maintenance_work_mem": "256MB", "max_wal_size": "4GB"}
TIMEOUT = 3600.0


@dataclass(frozen=True)
class Stage:
    """What a stage took: the command, and the most memory (MB) of the server meanwhile."""

    ended: Ended
    server_mb: float


def measure(quick: bool) -> tuple[str, dict]:
    """Take the stages on each engine, for each number of months."""
    rows, sizes = (5_000, (1, 2)) if quick else (ROWS, SIZES)
    found: dict[str, dict[str, dict[str, Stage]]] = {}
    for months in sizes:
        for engine in ENGINES:
            with (
                tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder,
                served(engine, Path(folder)) as server,
            ):
                if server is None:
                    continue
                trips = f"{months * rows:,}"
                found.setdefault(trips, {})[engine] = _all(Path(folder), MONTHS[:months], rows, *server)
    raw = {
        trips: {
            engine: {
                name: {
                    "seconds": stage.ended.seconds,
                    "peak_mb": stage.ended.peak_mb,
                    "server_mb": stage.server_mb,
                }
                for name, stage in stages.items()
            }
            for engine, stages in engines.items()
        }
        for trips, engines in found.items()
    }
    return _table(found), raw


@contextmanager
def served(engine: str, folder: Path) -> Iterator[tuple[Mapping[str, str], int | None] | None]:
    """The variables that lead to a fresh warehouse, and the server's process; None if it is not installed."""
    if engine == "duckdb":
        yield {"SLUICE_TARGET": engine}, None
        return
    # What dbt keeps is another project's on each server, and where the settings say; else publishing would read it anew.
    own = {
        "SLUICE_TARGET": engine,
        "DBT_TARGET": engine,
        "DBT_TARGET_PATH": str(folder / "dbt" / engine / "target"),
    }
    if engine == "spark":
        server = SparkServer(port=unused_port(), lake=folder / "lake", master="local[*]")
        try:
            with spark_server(server, folder / "spark") as process:
                yield {**own, **server.environment()}, process.pid
        except SparkMissingError as error:
            progress(str(error))
            yield None
    else:
        try:
            with postgres() as running:
                _give_memory(running)
                prepare(running)
                with database(running) as variables:
                    yield {**own, **variables}, running.pid
        except pytest.skip.Exception as error:
            progress(str(error))
            yield None


def _give_memory(server: Postgres) -> None:
    for name, value in SERVER_MEMORY.items():
        server.psql(f"alter system set {name} = '{value}'")
    server.restart()


def _all(
    data: Path, months: list[str], rows: int, variables: Mapping[str, str], server: int | None
) -> dict[str, Stage]:
    options = ("--months", ",".join(months), "--rows", str(rows), "--suffix", "csv.gz")
    run(["-m", "cli", "samples", "taxi", *options], cwd=PROJECT_DIR, data_dir=data)
    found = {}
    for name, command in STAGES.items():
        cwd = DBT_PROJECT_DIR if name == "build and test" else PROJECT_DIR
        with peak_of(server) as peak:
            ended = run(command, cwd=cwd, data_dir=data, timeout=TIMEOUT, variables=variables)
        found[name] = Stage(ended, peak.mb)
        engine = variables["SLUICE_TARGET"]
        progress(
            f"{engine}, {len(months)} months: {name} {ended.seconds:.1f} s, {ended.peak_mb:,.0f} + {peak.mb:,.0f} MB"
        )
    return found


def _table(found: dict[str, dict[str, dict[str, Stage]]]) -> str:
    lines = []
    for trips, engines in found.items():
        for engine, stages in engines.items():
            total = sum(stage.ended.seconds for stage in stages.values())
            duckdb = sum(stage.ended.seconds for stage in engines["duckdb"].values())
            client = max(stage.ended.peak_mb for stage in stages.values())
            server = max(stage.server_mb for stage in stages.values())
            lines.append(
                [
                    trips,
                    engine,
                    *(f"{stages[name].ended.seconds:.1f}" for name in STAGES),
                    f"{total:.1f}",
                    f"{total / duckdb:.1f}",
                    f"{client:,.0f}",
                    f"{server:,.0f}" if server else "",
                ]
            )
    header = ["trips", "target", *(f"{name} (s)" for name in STAGES), "all (s)", "against duckdb"]
    return table([*header, "peak memory here (MB)", "of the server (MB)"], lines)
