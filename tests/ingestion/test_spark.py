"""The same files for a Spark cluster: its tables hold what was loaded, whatever happens on the way."""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
import pytest

from cli.main import main
from ingestion.load import load_domain
from ingestion.sources.collisions import CRASHES
from settings import Settings
from tests.ingestion.conftest import Deliver, crash, load_shop
from tests.ingestion.test_months import csv
from tests.kill_at import run_to_death
from tests.servers.spark_fixtures import server, settings, spark  # noqa: F401
from warehouse import WarehouseBusyError, connect, domain_lock, read_connection
from warehouse.spark_sql import SparkSql

pytestmark = pytest.mark.long

LAKE = "warehouse.spark:write_raw_parquet"
POINTS = [(LAKE, "before", 1), ("warehouse.spark_raw_tables:_copy_loads", "after", 2), (LAKE, "after", 1)]


def check_lake(settings: Settings, spark: SparkSql, schema: str = "raw_collisions") -> None:
    """The cluster's tables have the rows and columns of the loaded ones."""
    spark.close()  # A session keeps the list of a table's files.
    with read_connection(settings) as warehouse:
        tables = {name for name in warehouse.tables(schema) if not name.startswith("_dlt")}
        for table in tables:
            names = ", ".join(warehouse.columns(schema, table))
            loaded = warehouse.execute(f"select {names} from {schema}.{table}").fetchall()
            found = spark.run(f"select {names} from {schema}.{table}")
            assert sorted(map(_plain, found)) == sorted(map(_plain, loaded)), table
    assert set(spark.tables(schema)) == tables


def _plain(row: tuple[object, ...]) -> list[str]:
    """Values as texts; moments, which one of both says with their zone, to the second."""
    return [f"{value:%F %T}" if hasattr(value, "minute") else str(value) for value in row]


def test_the_cluster_has_what_was_loaded(settings: Settings, spark: SparkSql, deliver: Deliver) -> None:
    deliver("a.csv", crash(1, borough='""'), crash(2, borough='"tab\t""é'), "cut,off")
    deliver("b.csv", crash(3))
    assert main(["load", "collisions"]) == 0
    check_lake(settings, spark)
    assert spark.run("select borough from raw_collisions.crashes where collision_id = '1'") == [("",)]
    assert spark.run("select zip_code from raw_collisions.crashes where collision_id = '1'") == [(None,)]
    # Another content, which has one more column, and nothing new of the other file.
    deliver("a.csv", crash(1) + ",x", header=",".join([*CRASHES.columns, "more"]))
    assert [file.status for file in load_domain("collisions").results] == ["replaced", "skipped"]
    check_lake(settings, spark)
    found = spark.run("select collision_id, more from raw_collisions.crashes order by 1")
    assert found == [("1", "x"), ("3", None)]
    assert spark.run("select count(*) from raw_collisions.rejected_lines") == [(0,)]


def test_columns_of_a_first_try_leave_the_lake(settings: Settings, spark: SparkSql, deliver: Deliver) -> None:
    deliver("a.csv", f"{crash(1)},x", header=",".join([*CRASHES.columns, "more"]))
    load_domain("collisions")
    deliver("a.csv", crash(1))
    load_domain("collisions")
    spark.run("create schema if not exists clean")
    spark.run("create view clean.quarantine_collisions__crashes as select * from raw_collisions.crashes")
    assert main(["load", "collisions", "--drop-columns", "crashes"]) == 0
    assert "more" not in spark.columns("raw_collisions", "crashes")
    assert spark.tables("clean") == []
    deliver("b.csv", crash(2))
    load_domain("collisions")
    check_lake(settings, spark)


def test_months_are_replaced(settings: Settings, spark: SparkSql) -> None:
    landing = settings.landing("taxi")
    landing.mkdir(parents=True)
    for month, rows in (("2024-01", 3), ("2024-02", 2)):
        (landing / f"yellow_tripdata_{month}.csv").write_text(csv(rows))
    load_domain("taxi")
    (landing / "yellow_tripdata_2024-01.csv").write_text(csv(5))
    load_domain("taxi")
    check_lake(settings, spark, "raw_taxi")
    counts = "select _partition, count(*) from raw_taxi.trips group by 1 order by 1"
    assert spark.run(counts) == [("2024-01", 5), ("2024-02", 2)]


def test_a_killed_load_is_completed_by_the_next_run(
    settings: Settings, spark: SparkSql, deliver: Deliver
) -> None:
    for number, point in enumerate(POINTS):
        deliver("a.csv", *(crash(each) for each in range(number + 3)), "cut")
        deliver(f"{number}.csv", crash(100 + number))
        run_to_death(point, settings, "cli", "load", "collisions")
        load_domain("collisions")
        check_lake(settings, spark)
        assert spark.run("select count(*) from raw_collisions.crashes") == [(2 * number + 4,)], point


def test_runs_of_one_domain_wait_for_each_other(settings: Settings, deliver: Deliver, shop: Deliver) -> None:
    shop("orders_1.csv", "1,1,P1,2,9.50,2022-04-18,paid")
    with domain_lock(settings, "collisions"):
        # Another domain's loads while this one is built.
        assert load_shop("orders") == {("orders", "orders_1.csv"): "loaded"}
        with (
            pytest.raises(WarehouseBusyError, match=r"another run of collisions is active: process \d+"),
            connect(settings, "collisions", wait_seconds=0.2),
        ):
            pass


def test_a_cluster_that_is_not_there_is_named_and_the_next_run_completes_the_load(
    settings: Settings,
    spark: SparkSql,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deliver("a.csv", crash(1))
    with monkeypatch.context() as other:
        other.setenv("SLUICE_SPARK_PORT", "1")
        assert main(["load", "collisions"]) == 2
    assert "Spark at 127.0.0.1:1 cannot be reached" in capsys.readouterr().err
    assert [file.status for file in load_domain("collisions").results] == ["skipped"]
    check_lake(settings, spark)
