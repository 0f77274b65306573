"""What is collected about the pipelines: each thing once, however often and wherever it is cut off."""

import json
import os

import duckdb
import pytest

from observability.health.collect import collect, collect_days
from observability.health.publications import publications
from settings import Settings
from tests.kill_at import COMPLETE, MERGE, run_to_death
from tests.parsed import Parsed

pytestmark = pytest.mark.slow


def note_results(settings: Settings, invocation: str) -> None:
    """Keep the results of a dbt command: a model and a test of it."""
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
    """Publish a domain that has read so many rows on a day."""
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


def test_an_empty_platform_has_all_the_tables(settings: Settings) -> None:
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
def test_a_killed_collection_loses_nothing_and_doubles_nothing(
    point: tuple[str, str], settings: Settings, project: Parsed
) -> None:
    project.put(settings)
    publish(settings, rows_read=10)
    note_results(settings, "a")
    note_results(settings, "b")
    run_to_death((*point, 1), settings, "cli", "health")
    collect(settings)
    assert collected(settings, "dbt_results") == 4
    assert collected(settings, "publications") == 1
    assert list(settings.dbt_results.iterdir()) == []


def test_a_version_is_collected_once_and_the_next_one_too(settings: Settings) -> None:
    publish(settings, rows_read=10)
    (seen,) = publications(settings, [], {})
    assert (seen["pipeline"], seen["rows_read"], seen["rows_quarantined"]) == ("things", 10, 1)
    assert publications(settings, [("things", seen["published_at"])], {}) == []


def shown(settings: Settings) -> list[tuple[str, int]]:
    """The rows read of the versions that readers see, as the mart finds them."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.execute(
            "select pipeline, arg_max(rows_read, coalesce(collected_at, published_at)) from raw_ops.publications"
            " group by pipeline order by pipeline"
        ).fetchall()


def test_the_version_that_readers_see_is_told_from_newer_ones_and_a_broken_file_from_the_others(
    settings: Settings,
) -> None:
    publish(settings, rows_read=10)
    os.utime(settings.published("things"), (1000, 1000))
    # It has no accounting mart.
    with duckdb.connect(str(settings.published("broken"))) as published:
        published.execute("create schema marts")
    settings.published("torn").write_text("no database")
    found = collect(settings)
    assert found.rows["publications"] == 1
    assert {*found.unread} == {"broken", "torn"}
    assert str(settings.published("broken")) in found.unread["broken"]
    assert "audit_broken__row_counts" in found.unread["broken"]
    settings.published("torn").unlink()

    publish(settings, rows_read=12)
    assert collect(settings).rows["publications"] == 1
    assert shown(settings) == [("things", 12)]
    # Back to the first version, whose file keeps its time.
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


def test_a_file_that_was_loaded_again_counts_on_the_later_day_alone(settings: Settings) -> None:
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
