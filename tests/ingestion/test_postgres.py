"""The same files on a PostgreSQL server: the rows of a DuckDB file, whatever happens on the way."""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import settings as project_settings
from cli.main import main
from ingestion.drop_columns import drop_columns
from ingestion.enrich.enrich import count_waiting
from ingestion.enrich.volume_check import measure_volume
from ingestion.load import load_domain
from ingestion.sources.collisions import CRASHES
from ingestion.sources.ecommerce import ORDERS
from ingestion.sources.news import ARTICLES, ENRICHMENTS
from samples.apis.server import SampleApis
from settings import PROJECT_DIR, Settings
from tests.ingestion.conftest import Deliver, Query, check_rows, crash, load_shop
from tests.ingestion.test_months import csv
from tests.kill_at import COMPLETE, MERGE, run_to_death
from tests.servers.databases import PASSWORD
from tests.servers.postgres_fixtures import server, settings  # noqa: F401
from tests.sluice import SLUICE
from warehouse import WarehouseBusyError, WarehouseError, connect, read_connection

POINTS = [
    ("warehouse.postgres_dlt:CopyTextJob.run", "after", 1),
    (MERGE, "after", 1),
    (COMPLETE, "before", 1),
]
RAW = ("crashes", "rejected_lines", "file_loads")
# Each load has its own, and each engine a length of names.
OWN = ("_dlt_load_id", "_dlt_id", "loaded_at", "extra_columns")


@pytest.fixture
def query(settings: Settings) -> Query:
    def run(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with read_connection(settings) as warehouse:
            return warehouse.execute(sql, parameters or None).fetchall()

    return run


def contents(query: Query) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the raw tables of collisions, without what is each load's own."""
    found = {}
    for table in RAW:
        columns = [
            name
            for (name,) in query(
                "select column_name from information_schema.columns"
                f" where table_schema = 'raw_collisions' and table_name = '{table}'"
            )
            if name not in OWN and len(name) < 50
        ]
        columns.sort()
        rows = query(f"select {', '.join(columns)} from raw_collisions.{table}")
        found[table] = sorted(rows, key=repr)
    return found


@pytest.fixture
def in_a_file(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Loads the landing folder into a DuckDB file, and reads from that."""

    def run() -> dict[str, list[tuple[Any, ...]]]:
        folder = tmp_path / "file"
        shutil.copytree(settings.landing("collisions"), folder / "landing" / "collisions", dirs_exist_ok=True)
        with monkeypatch.context() as other:
            other.setenv("SLUICE_TARGET", "duckdb")
            other.setenv("SLUICE_DATA_DIR", str(folder))
            where = project_settings.load()
            load_domain("collisions", where)
        with duckdb.connect(str(where.warehouse), read_only=True) as connection:
            return contents(lambda sql: connection.execute(sql).fetchall())

    return run


def test_any_text_lands_as_in_a_duckdb_file(
    deliver: Deliver, settings: Settings, query: Query, in_a_file: Any
) -> None:
    long = "a name that is longer than PostgreSQL takes it and goes on and on for a while"
    header = ",".join([*CRASHES.columns, long])
    path = deliver(
        "texts.csv",
        crash(1, borough='"tab\tquote "" back\\slash \\N"') + ",x",
        crash(2, borough='""', zip_code="") + ",",
        crash(3, borough='"line 1\n\\.\nline 3"') + ",ü",
        crash(4, borough="nul\0nul") + ',"é"',
        "cut\0,off",
        header=header,
    )
    path.write_bytes(path.read_bytes() + crash(5, borough="Málaga").encode("latin-1") + b",y\n")
    assert [file.status for file in load_domain("collisions").results] == ["loaded"]
    found = contents(query)
    assert found == in_a_file()
    boroughs = dict(query("select collision_id, borough from raw_collisions.crashes"))
    assert boroughs == {
        "1": 'tab\tquote " back\\slash \\N',
        "2": "",
        "3": "line 1\n\\.\nline 3",
        "4": "nul\ufffdnul",
        "5": "Málaga",
    }
    assert query("select zip_code from raw_collisions.crashes where collision_id = '2'") == [(None,)]
    assert query("select line from raw_collisions.rejected_lines") == [("cut\ufffd,off",)]
    ((name,),) = query(
        "select column_name from information_schema.columns where table_name = 'crashes'"
        " and table_schema = 'raw_collisions' and column_name like 'a_name_that%'"
    )
    assert len(name) == 63
    assert dict(query(f'select collision_id, "{name}" from raw_collisions.crashes'))["3"] == "ü"

    # The same once more, other content, and a second file.
    assert [file.status for file in load_domain("collisions").results] == ["skipped"]
    deliver("texts.csv", crash(1, borough="QUEENS"), crash(7))
    deliver("more.csv", crash(8), "cut")
    assert [file.status for file in load_domain("collisions").results] == ["loaded", "replaced"]
    assert contents(query)["crashes"] == in_a_file()["crashes"]
    assert query("select source_file, line from raw_collisions.rejected_lines") == [("more.csv", "cut")]
    assert [path for path in settings.dlt_dir.iterdir() if not path.name.startswith("dev_postgres")] == []


def test_a_killed_load_is_completed_by_the_next_run(
    settings: Settings, deliver: Deliver, query: Query
) -> None:
    deliver("b.csv", *(crash(number) for number in range(10, 20)), "cut")
    calm = None
    for point in [None, *POINTS]:
        _forget(settings)
        deliver("a.csv", crash(1), crash(2), "cut,off")
        load_domain("collisions", files=["a.csv"])
        deliver("a.csv", crash(1, borough="QUEENS"), crash(4))
        if point:
            run_to_death(point, settings, "cli", "load", "collisions")
            rows = dict(query("select _source_file, count(*) from raw_collisions.crashes group by 1"))
            assert rows["a.csv"] == 2, point
            assert rows.get("b.csv") in (None, 10), point
        load_domain("collisions")
        calm = calm or contents(query)
        assert contents(query) == calm, point
    assert len(calm["crashes"]) == 12


def _forget(settings: Settings) -> None:
    """Begin anew, with an empty database."""
    with connect(settings) as warehouse:
        warehouse.execute("drop schema if exists raw_collisions cascade")
    shutil.rmtree(settings.dlt_dir, ignore_errors=True)


def test_runs_of_two_domains_overlap_and_those_of_one_do_not(
    settings: Settings, deliver: Deliver, shop: Deliver, query: Query
) -> None:
    shop("orders_1.csv", "1,1,P1,2,9.50,2022-04-18,paid")
    deliver("a.csv", crash(1))
    with connect(settings, "collisions"):
        # Another process' run of the other domain goes on, one of this domain does not begin.
        assert load_shop("orders") == {("orders", "orders_1.csv"): "loaded"}
        with (
            pytest.raises(
                WarehouseBusyError, match=r"another run of collisions on sluice@.*holds its lock, .* \d+"
            ),
            connect(settings, "collisions", wait_seconds=0.3),
        ):
            pass
        waiting = subprocess.Popen(
            [*SLUICE, "load", "collisions"],
            cwd=PROJECT_DIR,
            env=os.environ | settings.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        while not query(
            "select 1 from pg_stat_activity where application_name = 'sluice collisions' offset 1"
        ):
            assert waiting.poll() is None
            time.sleep(0.05)
        assert query("select to_regnamespace('raw_collisions')") == [(None,)]
    assert "loaded    crashes  a.csv" in waiting.communicate(timeout=60)[0]


def test_what_a_killed_run_still_does_on_the_server_ends_before_the_next_one_begins(
    settings: Settings, deliver: Deliver, query: Query
) -> None:
    deliver("a.csv", crash(1))
    load_domain("collisions")
    where = settings.postgres
    late = psycopg2.connect(
        host=where.host,
        port=where.port,
        dbname=where.database,
        user=where.user,
        password=where.password.get_secret_value(),
        application_name="sluice collisions load",
    )
    with late.cursor() as cursor:
        cursor.execute("insert into raw_collisions.crashes (_source_file, _row_id) values ('a.csv', 'late')")
    with connect(settings, "collisions"):
        pass
    with pytest.raises(psycopg2.Error):
        late.commit()
    assert query("select count(*) from raw_collisions.crashes") == [(1,)]


def test_months_are_replaced_under_any_name(settings: Settings, query: Query) -> None:
    landing = settings.landing("taxi")
    landing.mkdir(parents=True)
    (landing / "yellow_tripdata_2024-01.csv").write_text(csv(3))
    (landing / "yellow_tripdata_2024-02.csv").write_text(csv(2))
    load_domain("taxi")
    (landing / "yellow_tripdata_2024-01.csv").unlink()
    pq.write_table(
        pa.table({name: ["1"] * 4 for name in pq_columns()}), landing / "yellow_tripdata_2024-01.parquet"
    )
    load_domain("taxi")
    assert query(
        "select _partition, _source_file, count(*) from raw_taxi.trips group by 1, 2 order by 1"
    ) == [
        ("2024-01", "yellow_tripdata_2024-01.parquet", 4),
        ("2024-02", "yellow_tripdata_2024-02.csv", 2),
    ]


def pq_columns() -> list[str]:
    return csv(0).strip().split(",")


def test_corrections_reach_their_entities(settings: Settings, shop: Deliver, query: Query) -> None:
    shop("orders_1.csv", "1,1,P1,-2,9.50,2022-04-18,paid", "cut")
    load_shop()
    header = "_entity,_row_id,order_id,customer_id,product_id,quantity,unit_price,order_date,status"
    shop("corrections.csv", "orders,x-1,1,1,P1,2,9.50,2022-04-18,paid", header=header)
    load_shop()
    shop("corrections.csv", "orders,x-1,1,1,P1,3,9.50,2022-04-18,paid", header=header)
    load_shop()
    found = query("select quantity, _corrects_row_id from raw_ecommerce.orders order by 1")
    assert found == [("-2", None), ("2", "x-1"), ("3", "x-1")]
    assert len(query("select 1 from raw_ecommerce.rejected_lines")) == 1


def test_columns_of_a_first_try_leave_unless_somebody_reads_them(
    settings: Settings, shop: Deliver, query: Query
) -> None:
    header = ",".join(ORDERS.columns)
    order = "1,1,P1,2,9.50,2022-04-18,paid"
    shop("orders_1.csv", f"{order},red,XL", header=f"{header},colour,size")
    load_shop()
    shop("orders_1.csv", order)
    load_shop()
    with connect(settings) as warehouse:
        warehouse.execute("create schema clean")
        shown = "view clean.quarantine_ecommerce__orders as select raw.* from raw_ecommerce.orders as raw"
        warehouse.execute(f"create {shown}; create view clean.mine as select size from raw_ecommerce.orders")
    assert main(["load", "ecommerce", "--drop-columns", "orders.colour"]) == 0
    with pytest.raises(WarehouseError, match="view clean.mine depends on column size"):
        drop_columns("ecommerce", ["orders.size"], settings)
    with connect(settings) as warehouse:
        warehouse.execute("drop view clean.mine")
    assert drop_columns("ecommerce", ["orders"], settings) == ["orders.size"]
    shop("orders_2.csv", f"2{order[1:]}")
    load_shop()
    with read_connection(settings) as warehouse:
        assert {"colour", "size"}.isdisjoint(warehouse.columns("raw_ecommerce", "orders"))
        assert "quarantine_ecommerce__orders" not in warehouse.tables("clean")
    assert query("select order_id from raw_ecommerce.orders order by 1") == [("1",), ("2",)]


def test_records_of_an_api_and_what_is_made_of_them(
    settings: Settings, apis: SampleApis, query: Query
) -> None:
    apis.news.articles = apis.news.articles[::60][:12]
    apis.news.articles[0]["title"] = "a NUL \0 and an empty text"
    apis.news.articles[0]["description"] = ""
    statuses = [file.status for file in load_domain("news", project_settings.load()).results]
    assert statuses == ["loaded", "loaded"]
    check_rows(query, "news", "articles")
    url = apis.news.articles[0]["url"]
    assert query("select title, description from raw_news.articles where url = ?", url) == [
        ("a NUL \ufffd and an empty text", "")
    ]
    assert query("select status, count(*) from raw_news.enrichments group by 1") == [("enriched", 12)]
    assert [file.status for file in load_domain("news", project_settings.load()).results] == ["skipped"] * 2
    found = measure_volume(ARTICLES, project_settings.load())
    waiting = count_waiting(ENRICHMENTS, project_settings.load())
    assert (waiting, found.loaded_at is None, found.articles > 0) == (0, False, True)
    # One record changes, and an index of a page that has both brings the changed one alone.
    apis.products.products = apis.products.products[:5]
    load_domain("sales", project_settings.load(), entities=["products"])
    apis.products.products[1]["title"] = "another"
    apis.products.products[1]["updated_at"] = "2026-01-01T00:00:00Z"
    load_domain("sales", project_settings.load(), entities=["products"])
    check_rows(query, "sales", "products")
    assert ("another",) in query("select title from raw_sales.products")


def test_the_password_is_nowhere(
    settings: Settings,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    deliver("a.csv", crash(1))
    load_domain("collisions")
    secret = PASSWORD.encode()
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if secret in path.read_bytes() or b"se%2Fcret" in path.read_bytes()] == []
    assert PASSWORD not in f"{settings!r}{settings}"
    with connect(settings) as warehouse:
        # dlt finds a table that it cannot write.
        warehouse.execute("alter table raw_collisions.crashes add check (_source_file <> 'b.csv')")
    deliver("b.csv", crash(2))
    wrong = {"SLUICE_POSTGRES_PASSWORD": "not/the@password"}
    nowhere = {"SLUICE_POSTGRES_PORT": "1"}
    missing = {"SLUICE_POSTGRES_PASSWORD": ""}
    capsys.readouterr()
    for variables, message in (
        ({}, "violates check constraint"),
        (wrong, "password authentication failed"),
        (nowhere, "cannot be reached"),
        (missing, "SLUICE_POSTGRES_PASSWORD is not set"),
    ):
        with monkeypatch.context() as other:
            for name, value in variables.items():
                other.setenv(name, value)
            assert main(["load", "collisions"]) == 2
        said = capsys.readouterr()
        assert message in said.err
        for text in (PASSWORD, "se%2Fcret", "not/the@password", "not%2Fthe"):
            assert text not in said.out + said.err + caplog.text
