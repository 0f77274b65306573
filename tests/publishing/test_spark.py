"""Publish from a Spark cluster: files get second names, and views here and on the cluster show them."""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
import json
import os
from typing import Any

import pytest

from publishing.errors import PublishStoppedError
from publishing.manage import prune, rollback, versions
from publishing.publish import publish
from publishing.readers import open_published, published_names
from publishing.store import store_of
from publishing.versions import VersionError
from settings import Settings
from tests.kill_at import named, run_to_death
from tests.publishing.things import MONTHLY, write_manifest
from tests.servers.spark_fixtures import server, settings, spark  # noqa: F401
from warehouse.spark_sql import SparkSql

pytestmark = pytest.mark.long

ROWS = 100
FACT = f"""
    select cast(id as bigint) as id, cast({{amount}} as decimal(9, 2)) as amount, cast(null as string) as note,
        cast('{{at}}' as timestamp) as _built_at, add_months(date'2022-01-01', cast(id % 3 as int)) as month
    from range(1, {3 * ROWS + 1}) where add_months(date'2022-01-01', cast(id % 3 as int)) in ({{months}})
"""
MONTHS = "date'2022-01-01', date'2022-02-01', date'2022-03-01'"
SUMS = "select count(*), sum(fct.amount), max(dim.amount) from {0}.fct_things as fct cross join {0}.dim_dates as dim"


def write(spark: SparkSql, amount: int, months: str = MONTHS) -> None:
    """Rebuild months of the fact with another amount, as dbt does, and the dimension."""
    spark.run("set spark.sql.sources.partitionOverwriteMode = dynamic")
    rows = FACT.format(amount=amount, at=f"2024-01-01 10:00:{amount % 60:02}", months=months)
    spark.run(f"insert overwrite table marts.fct_things {rows}")
    spark.run("drop table if exists marts.dim_dates")
    spark.run(
        f"create table marts.dim_dates using parquet as select cast({amount} as decimal(9, 2)) as amount"
    )


@pytest.fixture
def things(settings: Settings, spark: SparkSql) -> Settings:
    """Three months of a fact that is rebuilt by month and has a view per month."""
    write_manifest(settings, meta={}, **MONTHLY)
    manifest = json.loads(settings.manifest.read_text())
    manifest["nodes"]["fct_things"]["config"]["meta"] = {"month_views": True}
    settings.manifest.write_text(json.dumps(manifest))
    os.utime(settings.manifest, (4e9, 4e9))
    spark.run(f"create schema marts location '{settings.spark.lake}/marts'")
    spark.run("create schema monthly")
    spark.run(
        "create table marts.fct_things (id bigint, amount decimal(9, 2), note string, _built_at timestamp, month date)"
        " using parquet partitioned by (month)"
    )
    write(spark, 1)
    spark.run(
        "create table marts.audit_things__row_counts using parquet as select 'big' as entity, 'a.csv' as source_file,"
        " 20L as rows_read, 1L as rows_quarantined, timestamp'2022-01-01 10:00:00.123456' as loaded_at"
    )
    spark.run(
        "create view monthly.things_2022_01 as select * from marts.fct_things where month = cast('2022-01-01' as date)"
    )
    return settings


def read(things: Settings, sql: str) -> list[tuple[Any, ...]]:
    with open_published("things", things) as published:
        return published.execute(sql).fetchall()


def on_the_cluster(spark: SparkSql, sql: str) -> list[tuple[Any, ...]]:
    spark.close()  # a session caches the list of a table's files
    return spark.run(sql)


def check_both(things: Settings, spark: SparkSql, amount: int) -> None:
    """Check that readers here and on the cluster see one version."""
    expected = [(3 * ROWS, 3 * ROWS * amount, amount)]
    assert read(things, SUMS.format("marts")) == expected
    assert on_the_cluster(spark, SUMS.format("published_things")) == expected
    assert read(things, "select count(*), sum(amount) from monthly.things_2022_01") == [(ROWS, ROWS * amount)]
    assert spark.run("select sum(amount) from published_things.things_2022_01") == [(ROWS * amount,)]


def test_versions_are_compared_kept_and_rolled_back(things: Settings, spark: SparkSql) -> None:
    first = publish("things", things)
    assert first.rows["fct_things"] == 3 * ROWS
    check_both(things, spark, 1)
    assert published_names(things) == ["things"]

    write(spark, 2, "date'2022-02-01'")
    second = publish("things", things)
    (found,) = [each for each in second.comparison.differences if each.table == "fct_things"]
    assert (found.what, found.column, found.before, found.after) == ("total", "amount", 3 * ROWS, 4 * ROWS)
    assert second.comparison.unchanged == ("audit_things__row_counts",)

    spark.run("alter table marts.fct_things drop partition (month = '2022-03-01')")
    with pytest.raises(PublishStoppedError, match=r"fct_things rows(?s:.*)300(?s:.*)200"):
        publish("things", things)
    assert read(things, "select sum(amount) from marts.fct_things") == [(4 * ROWS,)]
    write(spark, 3)
    third = publish("things", things, accept=True)
    check_both(things, spark, 3)

    assert rollback("things", first.version, things) == first.version
    check_both(things, spark, 1)
    assert [each["what"] for each in versions("things", things).history] == ["publish"] * 3 + ["rollback"]
    assert prune("things", 1, things) == [second.version]
    folders = [path for path in store_of("things", things).folder.iterdir() if path.is_dir()]
    assert len(folders) == 2
    schemas = [schema for (schema,) in spark.run("show schemas like 'published_things_v*'")]
    assert len(schemas) == 2

    # A version that was changed is refused.
    (folder,) = (
        folder
        for folder in folders
        if folder.name == store_of("things", things).get(third.version).facts["folder"]
    )
    next(folder.rglob("*.parquet")).unlink()
    with pytest.raises(VersionError, match="does not hold what was published"):
        rollback("things", third.version, things)
    check_both(things, spark, 1)


STORE = "publishing.spark_store"
POINTS = [
    (f"{STORE}:_link_all", "after", 2),
    (f"{STORE}:verify_written", "after", 1),
    ("publishing.file_store:FileStore.add", "after", 1),
    ("publishing.file_store:FileStore.activate", "after", 1),
    ("warehouse.spark_sql:SparkSql.tables", "after", 3),
]


def test_the_next_publish_finishes_a_killed_one(things: Settings, spark: SparkSql) -> None:
    write(spark, 100)
    publish("things", things)
    for amount, point in enumerate(POINTS, start=101):
        write(spark, amount)
        run_to_death(point, things, "tests.publishing.publish_things")
        ((seen,),) = read(things, "select amount from marts.dim_dates")
        assert seen in (amount - 1, amount), named(point)
        assert read(things, SUMS.format("marts")) == [(3 * ROWS, 3 * ROWS * seen, seen)], named(point)
        publish("things", things, keep=1)
        check_both(things, spark, amount)
    known = {each.facts["folder"] for each in store_of("things", things).versions()}
    assert {path.name for path in store_of("things", things).folder.iterdir() if path.is_dir()} == known
