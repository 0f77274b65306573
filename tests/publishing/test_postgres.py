"""Publish on a PostgreSQL server, where versions are schemas that are renamed."""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import duckdb
import psycopg2
import pytest

from lineage.artefact import to_json
from lineage.graph import Lineage, Table
from observability.health.collect import collect
from publishing.errors import PublishError, PublishStoppedError
from publishing.manage import diff, prune, rollback, versions
from publishing.preview import PreviewError, preview
from publishing.promote import promote
from publishing.publish import publish
from publishing.published_check import is_published
from publishing.readers import open_published, published_names
from publishing.store import store_of
from publishing.versions import Version, VersionError
from settings import PROJECT_DIR, Settings
from tests.kill_at import run_to_death
from tests.publishing.things import MONTHLY, write_manifest
from tests.servers.postgres_fixtures import server, settings  # noqa: F401
from transformation.fingerprints import combined
from warehouse import WarehouseError, connect, read_connection

ROWS = 1000
BUILD = f"""
create schema marts;
create table marts.fct_things as
    select number as id, (date '2022-01-01' + (number % 3) * interval '1 month')::date as month,
        1::numeric(9, 2) as amount, null::text as note, now()::timestamp as _built_at
    from generate_series(1, {3 * ROWS}) as numbers (number);
create table marts.dim_dates as select 1::numeric(9, 2) as amount;
create table marts.audit_things__row_counts as
    select 'big' as entity, 'a.csv' as source_file, 20 as rows_read, 1 as rows_quarantined,
        timestamp '2022-01-01 10:00:00.123456' as loaded_at;
create schema monthly;
create view monthly.things_2022_01 as select id, amount from marts.fct_things where month = '2022-01-01';
"""
# Both tables of a version have the same amount.
SUMS = "select count(*), sum(fct.amount), max(dim.amount) from {0}.fct_things as fct cross join {0}.dim_dates as dim"


@pytest.fixture
def things(settings: Settings) -> Settings:
    """Three months of a fact that is rebuilt by month and has a view per month."""
    write_manifest(settings, meta={}, **MONTHLY)
    manifest = settings.manifest.read_text()
    settings.manifest.write_text(
        manifest.replace('"meta": {}, "materialized"', '"meta": {"month_views": true}, "materialized"')
    )
    assert "month_views" in settings.manifest.read_text()
    os.utime(settings.manifest, (4e9, 4e9))
    execute(settings, BUILD)
    return settings


def execute(settings: Settings, *statements: str) -> None:
    with connect(settings, "things") as warehouse:
        for sql in statements:
            warehouse.execute(sql)


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with read_connection(settings) as warehouse:
        return warehouse.execute(sql).fetchall()


def change(settings: Settings, amount: int) -> None:
    execute(
        settings,
        f"update marts.fct_things set amount = {amount}, _built_at = now()::timestamp",
        f"update marts.dim_dates set amount = {amount}",
    )


def schemas(settings: Settings) -> list[str]:
    found = query(settings, "select nspname from pg_namespace where nspname ~ '^publish(ed|ing)_' order by 1")
    return [name for (name,) in found]


def test_versions_have_their_own_lineage_which_goes_with_them(things: Settings) -> None:
    store = store_of("things", things)
    assert store.lineage("any") is None
    found = {}
    for number in range(2):
        lineage = to_json(
            Lineage({"marts.fct_things": Table("marts.fct_things", f"kind {number}")}), "things"
        )
        with store.lock(), connect(things, "things") as warehouse:
            store.write(warehouse, {}, {}, None)
            version = Version(f"2024010{number}T000000000000Z_x", {"made_at": str(number)}, {})
            store.publish(version, things.manifest, lineage)
        found[version.name] = lineage
    assert {name: store.lineage(name) for name in found} == found
    with store.lock():
        (removed,) = store.prune(1)
    assert [store.lineage(name) is None for name in found] == [name == removed for name in found]


def test_versions_are_compared_kept_and_rolled_back(things: Settings) -> None:
    first = publish("things", things)
    assert (first.path, first.rows["fct_things"]) == ("published_things", 3 * ROWS)
    assert schemas(things) == ["published_things"]
    assert query(things, "select count(*), sum(amount) from published_things.things_2022_01") == [
        (ROWS, ROWS)
    ]

    # One month of three: the watermarks of the others are the same.
    execute(
        things,
        "update marts.fct_things set amount = 3, _built_at = now()::timestamp where month = '2022-02-01'",
    )
    second = publish("things", things)
    ((table, what, column, before, after),) = [
        (each.table, each.what, each.column, each.before, each.after)
        for each in second.comparison.differences
    ]
    assert (table, what, column, before, after) == ("fct_things", "total", "amount", 3 * ROWS, 5 * ROWS)
    assert second.comparison.unchanged == ("audit_things__row_counts", "dim_dates")
    assert query(things, "select sum(amount) from published_things.fct_things") == [(5 * ROWS,)]

    execute(
        things,
        "delete from marts.fct_things where month = '2022-03-01'",
        "alter table marts.dim_dates add x date",
    )
    with pytest.raises(PublishStoppedError, match=r"fct_things rows(?s:.*)3,000(?s:.*)2,000"):
        publish("things", things)
    assert schemas(things) == ["published_things", f"published_things_v{first.version[:22].lower()}"]
    third = publish("things", things, accept=True)
    assert len(third.accepted) == 3
    assert third.accepted[0].startswith("fct_things rows")
    assert [each.what for each in third.comparison.differences if each.table == "dim_dates"] == ["column"]

    assert rollback("things", settings=things) == second.version
    assert query(things, "select sum(amount) from published_things.fct_things") == [(5 * ROWS,)]
    assert query(things, "select count(*) from published_things.things_2022_01") == [(ROWS,)]
    listing = versions("things", things)
    assert (listing.active, [each.name for each in listing.versions]) == (
        second.version,
        [first.version, second.version, third.version],
    )
    assert [each["what"] for each in listing.history] == ["publish", "publish", "publish", "rollback"]
    assert diff("things", first.version, second.version, things).differences == second.comparison.differences
    assert prune("things", 1, things) == [first.version]
    assert len(schemas(things)) == 2

    # A version that was changed is refused.
    execute(things, f"delete from published_things_v{third.version[:22].lower()}.fct_things where id = 1")
    with pytest.raises(VersionError, match="fct_things differs"):
        rollback("things", third.version, things)
    with pytest.raises(PreviewError, match="the target is postgres"):
        preview("things", things)
    with pytest.raises(VersionError, match="the target of dev is postgres"):
        promote("things", things, things)


def test_readers_see_one_version_and_keep_their_rights(things: Settings, server: Any) -> None:
    assert published_names(things) == []
    publish("things", things)
    execute(things, "create schema published_others; create table published_others.x as select 1")
    with pytest.raises(PublishError, match="was not published by this project"):
        store_of("others", things).current_stats()
    name = f"reader_{things.postgres.database}"
    server.psql(f"create role {name} login password 'reads'")
    execute(things, f"grant usage on schema published_things to {name}")
    with open_published("things", things) as published:
        assert published.execute("select count(*), sum(amount) from marts.fct_things").fetchall() == [
            (3000, 3000)
        ]
        change(things, 2)
        second = publish("things", things)
        # Still the version that was opened.
        assert published.execute("select max(amount) from marts.dim_dates").fetchall() == [(1,)]
        assert published.rows() == 3002
    with open_published("things", things) as published:
        assert published.execute("select max(amount) from marts.dim_dates").fetchall() == [(2,)]
    assert published_names(things) == ["things"]
    sql = "select sum(amount) from published_things.fct_things"
    assert server.psql(sql, things.postgres.database, name, "reads") == "6000.00"
    with pytest.raises(RuntimeError, match="permission denied"):
        server.psql("select * from marts.fct_things", things.postgres.database, name, "reads")
    assert second.version == versions("things", things).active


STORE = "publishing.schema_store:SchemaStore"
POINTS = [
    ("publishing.schema_tables:_copy_month_views", "before", 1),
    (f"{STORE}.write", "after", 1),
    (f"{STORE}._swap", "after", 1),
    (f"{STORE}._change", "after", 1),
    (f"{STORE}._clean_up", "before", 2),
]


def test_a_version_is_known_by_the_fingerprints_of_its_marts(things: Settings) -> None:
    publish("things", things)
    assert not is_published("things", things, combined(["tested"] * 3))
    marts = "(values ('fct_things'), ('audit_things__row_counts'), ('dim_dates')) as marts (unique_id)"
    execute(
        things,
        "create schema dbt_state",
        f"create table dbt_state.nodes as select unique_id, 'a run' as run_id, 'tested' as fingerprint from {marts}",
    )
    publish("things", things)
    assert is_published("things", things, combined(["tested"] * 3))
    execute(things, "update dbt_state.nodes set fingerprint = null where unique_id = 'dim_dates'")
    publish("things", things)
    assert not is_published("things", things, combined(["tested"] * 3))


def test_a_killed_publish_leaves_a_whole_version_and_the_next_one_succeeds(things: Settings) -> None:
    publish("things", things)
    amount = 1
    for point in POINTS:
        old, amount = amount, amount + 1
        change(things, amount)
        run_to_death(point, things, "tests.publishing.publish_things")
        ((rows, total, most),) = query(things, SUMS.format("published_things"))
        assert (rows, total) == (3 * ROWS, 3 * ROWS * most), point
        assert most in (old, amount), point
        published = publish("things", things, keep=1)
        assert query(things, SUMS.format("published_things")) == [(3 * ROWS, 3 * ROWS * amount, amount)]
        listing = versions("things", things)
        assert [each.name for each in listing.versions] == [published.version] == [listing.active]
        assert schemas(things) == ["published_things"]


def test_readers_see_one_whole_version_at_any_moment(things: Settings) -> None:
    publish("things", things)
    readers = list(_readers(3))
    for amount in range(2, 10):
        change(things, amount)
        publish("things", things, keep=2)
    rollback("things", settings=things)
    for reader in readers:
        output, _ = reader.communicate("stop", timeout=60)
        assert reader.returncode == 0, output
        reads, seen = map(int, output.split())
        assert reads > 50
        assert seen > 3


def _readers(number: int) -> Iterator[subprocess.Popen]:
    for _ in range(number):
        reader = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.publishing.read_schema",
                str(3 * ROWS),
                SUMS.format("published_things"),
            ],
            cwd=PROJECT_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert reader.stdout.readline() == "reading\n"
        yield reader


def test_a_reader_keeps_its_version_and_delays_a_publication_for_a_while_only(
    things: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("things", things)
    change(things, 2)
    where = things.postgres
    reader = psycopg2.connect(
        host=where.host,
        port=where.port,
        dbname=where.database,
        user=where.user,
        password=where.password.get_secret_value(),
    )
    publishing = threading.Thread(target=publish, args=("things", things))
    with reader, reader.cursor() as cursor:
        cursor.execute("select max(amount) from published_things.fct_things")
        publishing.start()
        # It waits for the end of the reader's transaction.
        publishing.join(3)
        assert publishing.is_alive()
        cursor.execute("select max(amount) from published_things.dim_dates")
        assert cursor.fetchall() == [(1,)]
    publishing.join(30)
    assert not publishing.is_alive()
    assert query(things, "select max(amount) from published_things.dim_dates") == [(2,)]

    change(things, 3)
    with reader, reader.cursor() as cursor:
        cursor.execute("select max(amount) from published_things.fct_things")
        monkeypatch.setattr("publishing.schema_tables.WAIT_FOR_READERS_SECONDS", 0.5)
        publish("things", things)
        assert query(things, "select max(amount) from published_things.dim_dates") == [(3,)]
    reader.close()


def test_copying_a_missing_table_names_it(things: Settings) -> None:
    with (
        read_connection(things) as warehouse,
        duckdb.connect() as memory,
        pytest.raises(WarehouseError, match=r"there is no table marts\.fct_gone"),
    ):
        warehouse.copy_table_to("marts", "fct_gone", memory, "gone")


def test_health_collects_each_publication_once(things: Settings) -> None:
    execute(things, "alter table marts.audit_things__row_counts add rows_clean bigint default 19")
    publish("things", things, accept=True)
    assert [collect(things).rows["publications"] for _ in range(2)] == [1, 0]
