"""SIGKILL at any point of a load, then a rerun: the tables of a calm run, nothing twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ingestion.load import load_domain
from settings import PROJECT_DIR, Settings
from tests.ingestion.conftest import Deliver, Query, crash

COPY = "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run"
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
POINTS = [
    ("ingestion.csv_framing:read_header", "before", 1),
    ("ingestion.load:parse", "before", 1),
    ("ingestion.load:parse", "after", 1),
    ("dlt.normalize.normalize:Normalize.run", "after", 1),
    (COPY, "before", 1),
    (COPY, "after", 1),
    (COPY, "after", 2),
    (MERGE, "before", 1),
    (MERGE, "after", 1),
    (MERGE, "after", 2),
    ("dlt.load.load:Load.complete_package", "before", 1),
    ("dlt.load.load:Load.complete_package", "after", 1),
    ("ingestion.raw_store:RawStore.load_file", "after", 1),
    ("ingestion.raw_store:RawStore.load_file", "before", 2),
]
TABLES = {
    "crashes": "select * exclude (_dlt_load_id)",
    "rejected_lines": "select source_file, line_number, reason, line",
    "input_files": "select source_file, sha256, bytes, rows_read, rows_loaded, rows_rejected, status",
}


def contents(query: Query) -> dict[str, list[tuple[object, ...]]]:
    """All rows in load order of their files, which decides between duplicates."""
    found = {
        table: query(f"{select} from raw_collisions.{table} order by all") for table, select in TABLES.items()
    }
    found["order"] = query(
        "select _source_file from raw_collisions.crashes group by 1 order by min(_dlt_load_id)"
    )
    found["loads"] = query(
        "select count(*) from raw_collisions.crashes "
        "where _dlt_load_id not in (select load_id from raw_collisions._dlt_loads where status = 0)"
    )
    return found


def run_to_death(point: tuple[str, str, int], settings: Settings) -> None:
    target, moment, nth = point
    command = [sys.executable, "-m", "tests.kill_at", target, moment, str(nth), "ingestion", "collisions"]
    environment = os.environ | settings.environment()
    done = subprocess.run(
        command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, f"{point} was not reached: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point[0].split(':')[1]} {point[1]} {point[2]}")
def test_a_killed_load_is_completed_by_the_next_run(
    point: tuple[str, str, int], settings: Settings, deliver: Deliver, query: Query, tmp_path: Path
) -> None:
    def first_delivery() -> None:
        deliver("a.csv", crash(1), crash(2), "cut,off")
        deliver("c.csv", crash(3), "also,cut")
        load_domain("collisions")

    def second_delivery() -> None:
        deliver("a.csv", crash(1, borough="QUEENS"), crash(4))
        deliver("b.csv", *(crash(number) for number in range(10, 20)), "cut")

    first_delivery()
    second_delivery()
    load_domain("collisions")
    calm = contents(query)
    assert len(calm["crashes"]) == 13
    for folder in (settings.warehouse.parent, settings.dlt_dir, settings.landing("collisions")):
        folder.rename(tmp_path / f"calm_{folder.name}")

    first_delivery()
    second_delivery()
    run_to_death(point, settings)
    with duckdb.connect(str(settings.warehouse)) as connection:
        # Even before the rerun each file is there whole, in one version, or not at all.
        rows = dict(
            connection.execute(
                "select _source_file, count(*) from raw_collisions.crashes group by 1"
            ).fetchall()
        )
        assert rows.get("a.csv") == 2
        assert rows.get("b.csv") in (None, 10)
        assert rows.get("c.csv") == 1
    load_domain("collisions")
    assert contents(query) == calm
    assert list(settings.dlt_dir.glob("parse_*")) == []
