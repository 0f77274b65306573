"""What is collected about the pipelines: each thing once, however often it runs and wherever it is killed."""

import json
import os
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from observability.health.collect import collect, collect_days
from observability.health.publications import costs, publications
from settings import Settings
from tests.kill_at import COMPLETE, MERGE, run_to_death
from tests.parsed import Parsed

pytestmark = pytest.mark.slow


def write_results(settings: Settings, invocation: str) -> None:
    """Write the results of a dbt command: of a model and of its test."""
    row = {
        "pipeline": "taxi",
        "run_id": "r",
        "invocation_id": invocation,
        "status": "success",
        "started_at": "2026-05-01T10:00:00Z",
        "ended_at": "2026-05-01T10:00:01Z",
        "seconds": 1.0,
        "failures": None,
        "rows_affected": None,
        "message": None,
    }
    names = ("model.sluice.fct_trips", "test.sluice.primary_key_dim_zone_location_id.3b1b8a9b8c")
    settings.dbt_results.mkdir(parents=True, exist_ok=True)
    rows = [row | {"unique_id": name} for name in names]
    (settings.dbt_results / f"{invocation}.json").write_text(json.dumps(rows))


def publish(settings: Settings, rows_read: int, day: str = "2026-05-01", domain: str = "things") -> None:
    """Publish a domain that has read this number of rows on a day."""
    path = settings.published(domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as published:
        published.execute("create schema marts")
        published.execute(
            f"create table marts.audit_{domain}__row_counts as select {rows_read} as rows_read, 1 as rows_quarantined, "
            f"{rows_read} - 1 as rows_clean, timestamp '{day} 10:00:00' as loaded_at"
        )


def collected(settings: Settings, table: str) -> int:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.execute(f"select count(*) from raw_ops.{table}").fetchone()[0]


def test_an_empty_platform_has_all_tables(settings: Settings) -> None:
    found = collect(settings)
    assert found.airflow_error
    assert set(found.rows.values()) == {0}
    for table in ("runs", "airflow_runs", "airflow_tasks", "dbt_results", "loads", "publications", "costs"):
        assert collected(settings, table) == 0


@pytest.mark.parametrize(
    "point",
    [
        (MERGE, "after"),
        (COMPLETE, "before"),
        (COMPLETE, "after"),
        ("pathlib:Path.unlink", "after"),
    ],
    ids=lambda point: f"{point[0].split(':')[1]} {point[1]}",
)
def test_a_killed_collection_loses_and_duplicates_nothing(
    point: tuple[str, str], settings: Settings, project: Parsed
) -> None:
    project.put(settings)
    publish(settings, rows_read=10)
    write_results(settings, "a")
    write_results(settings, "b")
    run_to_death((*point, 1), settings, "cli", "health")
    collect(settings)
    assert collected(settings, "dbt_results") == 4
    assert collected(settings, "publications") == 1
    assert list(settings.dbt_results.iterdir()) == []


def test_a_version_is_collected_once(settings: Settings) -> None:
    publish(settings, rows_read=10)
    (seen,) = publications(settings, [], {})
    assert (seen["pipeline"], seen["rows_read"], seen["rows_quarantined"]) == ("things", 10, 1)
    assert publications(settings, [("things", seen["published_at"])], {}) == []


def shown(settings: Settings) -> list[tuple[str, int]]:
    """Return the rows read of the current versions, as the mart does."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.execute(
            "select pipeline, arg_max(rows_read, coalesce(collected_at, published_at)) from raw_ops.publications"
            " group by pipeline order by pipeline"
        ).fetchall()


def test_a_version_after_a_rollback_is_collected_again_and_unreadable_files_are_skipped(
    settings: Settings,
) -> None:
    publish(settings, rows_read=10)
    os.utime(settings.published("things"), (1000, 1000))
    # Without the mart of row counts.
    with duckdb.connect(str(settings.published("broken"))) as published:
        published.execute("create schema marts")
    settings.published("torn").write_text("no database")
    found = collect(settings)
    assert found.rows["publications"] == 1
    assert {*found.unreadable} == {"broken", "torn"}
    assert str(settings.published("broken")) in found.unreadable["broken"]
    assert "audit_broken__row_counts" in found.unreadable["broken"]
    settings.published("torn").unlink()

    publish(settings, rows_read=12)
    assert collect(settings).rows["publications"] == 1
    assert shown(settings) == [("things", 12)]
    # A rollback: the file of the first version keeps its time.
    publish(settings, rows_read=10)
    os.utime(settings.published("things"), (1000, 1000))
    assert collect(settings).rows["publications"] == 1
    assert shown(settings) == [("things", 10)]
    assert collected(settings, "publications") == 2
    assert collect(settings).rows["publications"] == 0

    publish(settings, rows_read=7, domain="others")
    collect_days(settings)
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        days = warehouse.execute(
            "select domain, rows_in from raw_ops.published_days order by domain"
        ).fetchall()
    assert days == [("others", 7), ("things", 10)]


def test_a_file_that_is_loaded_again_counts_only_on_the_later_day(settings: Settings) -> None:
    publish(settings, rows_read=10)
    collect_days(settings)
    publish(settings, rows_read=12, day="2026-05-02")
    collect_days(settings)
    collect_days(settings)
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        found = warehouse.execute(
            "select domain, day::text, rows_in, rows_published, rows_quarantined from raw_ops.published_days"
        ).fetchall()
    assert found == [("things", "2026-05-02", 12, 11, 1)]


def test_costs_come_from_the_mart_that_the_manifest_names(settings: Settings) -> None:
    publish(settings, rows_read=10)
    with duckdb.connect(str(settings.published("things"))) as published:
        published.execute(
            "create table marts.agg_spending as select * from (values (date '2026-05-01', 1.5), (date '2026-05-01', 0.25),"
            " (date '2026-05-02', 2)) as spent (spent_on, dollars)"
        )
    assert costs(settings, {}) == []
    mart = {
        "name": "agg_spending",
        "alias": "agg_spending",
        "resource_type": "model",
        "schema": "marts",
        "tags": ["things"],
        "config": {"meta": {"costs": {"day": "spent_on", "usd": "dollars"}}},
    }
    settings.manifest.parent.mkdir(parents=True, exist_ok=True)
    settings.manifest.write_text(json.dumps({"nodes": {"model.sluice.agg_spending": mart}, "groups": {}}))
    assert costs(settings, {}) == [
        {"pipeline": "things", "day": date(2026, 5, 1), "cost": Decimal("1.75")},
        {"pipeline": "things", "day": date(2026, 5, 2), "cost": Decimal(2)},
    ]
