"""A checkout of the project's own for each module, so that a test may break its models."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from bench.measuring import copy_checkout
from local_airflow.local import MIGRATED, make_database
from samples.apis.server import SampleApis, serving
from samples.apis.variables import variables
from settings import Settings
from tests.conftest import SHARED_DATA
from tests.once import once
from tests.parsed import Parsed
from tests.receivers import Mailbox, Webhook, mailbox, webhook
from tests.sluice import SLUICE

# Written anew by each run and told apart by it: when, and under which id.
EXCEPT = {"_dlt_load_id", "_dlt_id", "_validated_at", "_built_at", "_source_built_at", "loaded_at"}


@dataclass
class Checkout:
    """A copy of the project with a data folder of its own, and further variables of its environment."""

    path: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.path / "data", env="dev")

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.settings.environment(), **self.variables}

    def run(self, *arguments: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """Run `sluice …` in the checkout."""
        command = [*SLUICE, *arguments]
        return subprocess.run(
            command, cwd=self.path, env=self.environment, capture_output=True, text=True, timeout=timeout
        )

    def run_dbt_to_death(self, target: str, call: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run dbt as `sluice run` does; it dies after a certain call of a function."""
        kill = [sys.executable, "-m", "tests.kill_at", target, "after", str(call)]
        return subprocess.run(
            [*kill, "dbt.cli.main", *arguments],
            cwd=self.path / "dbt_project",
            env={**self.environment, "PYTHONPATH": str(self.path)},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `sluice …` in the checkout."""
        log = (self.path / "started.log").open("a")
        command = [*SLUICE, *arguments]
        return subprocess.Popen(
            command, cwd=self.path, env=self.environment, stdout=log, stderr=log, text=True
        )

    def query(self, sql: str, path: Path | None = None) -> list[tuple[Any, ...]]:
        """Rows of a query on the working warehouse, or on another DuckDB file."""
        with duckdb.connect(str(path or self.settings.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def contents(
        self, path: Path | None = None, schemas: str = "raw_% clean curated marts seeds"
    ) -> dict[str, Any]:
        """All rows of all tables but the metrics and the overview, which runs by itself, in an order of their own, without what tells runs apart."""
        like = " or ".join(f"table_schema like '{schema}'" for schema in schemas.split())
        tables = self.query(
            "select table_schema, table_name, list(column_name order by column_name) "
            f"from information_schema.columns where ({like}) and table_schema not like '%_staging' and table_schema <> 'raw_ops' and table_name not in ('agg_platform_day', 'audit_overview__row_counts') "
            "and table_name not like '\\_dlt%' escape '\\' group by all order by all",
            path,
        )
        return {
            f"{schema}.{table}": self.query(
                f"select {', '.join(column for column in columns if column not in EXCEPT)} "
                f"from {schema}.{table} order by all",
                path,
            )
            for schema, table, columns in tables
        }

    def runs(self, run_type: str = "manual") -> list[tuple[str, str]]:
        """State and id of Airflow's runs of a type, in the order in which they were created."""
        with sqlite3.connect(self.settings.airflow_home / "airflow.db", timeout=30) as database:
            query = "select state, run_id from dag_run where run_type = ? order by id"
            return database.execute(query, [run_type]).fetchall()

    def task_tries(self, run_id: str = "") -> dict[str, tuple[str, int]]:
        """State and number of tries of each task in a run, by default the latest manual one."""
        with sqlite3.connect(self.settings.airflow_home / "airflow.db", timeout=30) as database:
            query = "select task_id, state, try_number from task_instance where run_id = ?"
            found = database.execute(query, [run_id or self.runs()[-1][1]])
            return {task: (state, tries) for task, state, tries in found}


@pytest.fixture(scope="session")
def new_airflow(shared_folder: Path) -> Path:
    """An Airflow's home with nothing but its database, which takes longer to make than to copy."""
    settings = Settings(data_dir=shared_folder / "airflow", env="dev")
    once(shared_folder / "airflow.json", lambda: make_database(settings))
    return settings.airflow_home


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, new_airflow: Path, project: Parsed) -> Checkout:
    """The files that git has or would have, without any data but what is made of them once for all tests."""
    checkout = Checkout(copy_checkout(tmp_path_factory.mktemp("checkout")))
    for name in ("airflow.db", MIGRATED):
        checkout.settings.airflow_home.mkdir(parents=True, exist_ok=True)
        shutil.copy2(new_airflow / name, checkout.settings.airflow_home)
    project.put(checkout.settings)
    return checkout


@pytest.fixture(scope="module")
def told() -> Iterator[tuple[Mailbox, Webhook]]:
    with mailbox() as box, webhook() as hook:
        yield box, hook


@pytest.fixture(scope="module")
def shop(checkout: Checkout, told: tuple[Mailbox, Webhook]) -> Iterator[Checkout]:
    """The checkout with the variables of a catalogue and of channels for messages about every run."""
    box, hook = told
    with serving(SampleApis(products=200)) as base:
        checkout.variables = {
            **variables(base),
            **box.variables(),
            **hook.variables(),
            "SLUICE_NOTIFY_SUCCESS": "1",
            "SLUICE_FILE_STABLE_SECONDS": "5",
        }
        yield checkout


class Delivered(NamedTuple):
    """Lines of collisions, those of them that cannot be split into columns, and two months that follow each other."""

    lines: int
    rejected: int
    months: tuple[str, str]


@pytest.fixture(scope="module")
def delivered(checkout: Checkout) -> Delivered:
    """Collisions in the checkout's landing folder: the real files, or samples where those are not here."""
    if (real := SHARED_DATA / "collisions").is_dir():
        shutil.copytree(real, checkout.settings.landing("collisions"))
        return Delivered(3263, 1, ("2020-03", "2020-04"))
    made = loads(checkout.run("samples", "collisions", "--rows", "3000", "--json").stdout)
    return Delivered(made["lines"], made["rejected"], ("2023-03", "2023-04"))


def accounting(checkout: Checkout) -> dict[str, int]:
    """Sums of the accounting mart, from the published file."""
    names = ("rows_read", "rows_rejected", "rows_quarantined", "rows_superseded", "rows_clean")
    sums = ", ".join(f"sum({name})::int" for name in names)
    (row,) = checkout.query(
        f"select {sums} from marts.audit_collisions__row_counts", checkout.settings.published("collisions")
    )
    return dict(zip(names, row, strict=True))


def loads(text: str) -> Any:
    """The last line of a command's output, as JSON."""
    return json.loads(text.strip().splitlines()[-1])
