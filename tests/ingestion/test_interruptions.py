"""SIGKILL at any point of a load, then a rerun: the tables of a calm run, nothing twice."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.load import load_domain
from settings import Settings
from tests.ingestion.conftest import Deliver, Query, crash, load_shop
from tests.kill_at import COMPLETE, COPY, INSERT, MERGE, Point, named, run_to_death

POINTS = [
    ("ingestion.formats.csv_records:read_header", "before", 1),
    ("ingestion.formats.csv_parser:read_rows", "before", 1),
    ("ingestion.formats.csv_parser:read_rows", "after", 1),
    ("dlt.normalize.normalize:Normalize.run", "after", 1),
    (COPY, "before", 1),
    (COPY, "after", 1),
    (COPY, "after", 2),
    (MERGE, "before", 1),
    (MERGE, "after", 1),
    (MERGE, "after", 2),
    (COMPLETE, "before", 1),
    (COMPLETE, "after", 1),
    ("ingestion.loader.loader:Loader.load", "after", 1),
    ("ingestion.loader.loader:Loader.load", "before", 2),
]
# Of a load that only appends: rows are copied, rejected lines and the file's record inserted.
APPENDING = [
    ("dlt.normalize.normalize:Normalize.run", "after", 1),
    (COPY, "after", 1),
    (INSERT, "after", 1),
    (INSERT, "after", 2),
    (MERGE, "after", 1),
    (COMPLETE, "before", 1),
    (COMPLETE, "after", 1),
]
TABLES = {
    "rejected_lines": "select entity, source_file, line_number, reason, line, _row_id",
    "file_loads": "select entity, source_file, sha256, bytes, rows_read, rows_loaded, rows_rejected, status",
}


def contents(query: Query, domain: str, *entities: str) -> dict[str, list[tuple[object, ...]]]:
    """All rows, and the load order of contents, which decides between duplicates."""
    schema = f"raw_{domain}"
    found = {table: query(f"{select} from {schema}.{table} order by all") for table, select in TABLES.items()}
    for entity in entities:
        found[entity] = query(f"select * exclude (_dlt_load_id) from {schema}.{entity} order by all")
        found[f"order of {entity}"] = query(
            f"select left(_row_id, 16) from {schema}.{entity} group by 1 order by min(_dlt_load_id)"
        )
        found[f"unfinished {entity}"] = query(
            f"select count(*) from {schema}.{entity} "
            f"where _dlt_load_id not in (select load_id from {schema}._dlt_loads where status = 0)"
        )
    return found


Calm = Callable[[Callable[[], None], Callable[[], Any]], Any]


@pytest.fixture(scope="module")
def known() -> dict[str, tuple[Path, Any]]:
    return {}


@pytest.fixture
def calm(
    request: pytest.FixtureRequest,
    settings: Settings,
    known: dict[str, tuple[Path, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Calm:
    """What a load makes of deliveries if nothing disturbs it; the data folder is left as it was before the load.

    Both are the same for all points of a test, the first of which does the work.
    """

    def look(deliver: Callable[[], None], load: Callable[[], Any]) -> Any:
        name = request.node.originalname
        if name not in known:
            deliver()
            before = tmp_path_factory.mktemp("before") / "data"
            shutil.copytree(settings.data_dir, before)
            known[name] = before, load()
            shutil.rmtree(settings.data_dir)
        before, found = known[name]
        shutil.copytree(before, settings.data_dir)
        return found

    return look


@pytest.mark.parametrize("point", POINTS, ids=named)
def test_a_killed_load_is_completed_by_the_next_run(
    point: Point, settings: Settings, deliver: Deliver, query: Query, calm: Calm
) -> None:
    def deliver_twice() -> None:
        deliver("a.csv", crash(1), crash(2), "cut,off")
        deliver("c.csv", crash(3), "also,cut")
        load_domain("collisions")
        deliver("a.csv", crash(1, borough="QUEENS"), crash(4))
        deliver("b.csv", *(crash(number) for number in range(10, 20)), "cut")

    def load() -> dict[str, list[tuple[object, ...]]]:
        load_domain("collisions")
        return contents(query, "collisions", "crashes")

    expected = calm(deliver_twice, load)
    assert len(expected["crashes"]) == 13
    run_to_death(point, settings, "cli", "load", "collisions")
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
    assert load() == expected
    assert list(settings.dlt_dir.glob("parse_*")) == []


ANN = "1,Ann,ann@example.com,EU,2022-04-18"
ANN_MOVED = ANN.replace("EU", "US")
BOB = "2,Bob,bob@example.com,EU,2022-04-18"
KEPT = "select left(_row_id, 16), count(*) from raw_ecommerce.{} group by 1 order by min(_dlt_load_id)"


@pytest.mark.parametrize("point", APPENDING, ids=named)
def test_a_killed_load_of_a_change_log_leaves_the_earlier_contents(
    point: Point, settings: Settings, shop: Deliver, query: Query, calm: Calm
) -> None:
    def deliver_twice() -> None:
        shop("customers.csv", ANN, BOB, "cut")
        load_shop("customers")
        shop("customers.csv", ANN_MOVED, BOB, "3,Cem,cem@example.com,EU,2022-05-01", "also cut")

    def load() -> tuple[dict[str, list[tuple[object, ...]]], list[int]]:
        load_shop("customers")
        counts = [count for _, count in query(KEPT.format("customers"))]
        return contents(query, "ecommerce", "customers"), counts

    expected = calm(deliver_twice, load)
    assert expected[1] == [2, 3]
    ((first, _),) = query(KEPT.format("customers"))
    run_to_death(point, settings, "cli", "load", "ecommerce", "--entity", "customers")
    rows = dict(query(KEPT.format("customers")))
    assert rows.pop(first) == 2
    assert list(rows.values()) in ([], [3])
    assert load() == expected


@pytest.mark.parametrize("point", [(COPY, "after", 1), (COMPLETE, "before", 1)], ids=named)
def test_rows_of_a_killed_load_go_when_its_content_does_not_come_again(
    point: Point, settings: Settings, shop: Deliver, query: Query
) -> None:
    shop("customers.csv", ANN, "cut")
    load_shop("customers")
    before = contents(query, "ecommerce", "customers")
    path = shop("customers.csv", ANN_MOVED, BOB, "also cut")
    run_to_death(point, settings, "cli", "load", "ecommerce", "--entity", "customers")
    assert len(query("from raw_ecommerce.customers")) == 3
    path.unlink()
    load_shop("customers")
    found = contents(query, "ecommerce", "customers")
    assert found["customers"] == before["customers"]
    assert found["rejected_lines"] == before["rejected_lines"]


@pytest.mark.parametrize("point", [(COPY, "after", 1), (MERGE, "after", 1)], ids=named)
def test_a_killed_load_of_corrections_is_completed_beside_files_that_are_replaced(
    point: Point, settings: Settings, shop: Deliver, query: Query, calm: Calm
) -> None:
    header = "_entity,_row_id,order_id,customer_id,product_id,quantity,unit_price,order_date,status"

    def correct(*lines: str) -> None:
        shop("corrections.csv", *lines, header=header)

    def deliver_all() -> None:
        shop("orders_1.csv", "1,1,P1,-2,9.50,2022-04-18,paid", "2,1,P1,0,9.50,2022-04-18,paid")
        correct("orders,x-1,1,1,P1,2,9.50,2022-04-18,paid", "cut")
        load_shop()
        correct("orders,x-2,2,1,P1,1,9.50,2022-04-18,paid", "also,cut")

    def load() -> tuple[dict[str, list[tuple[object, ...]]], list[int]]:
        load_shop()
        counts = [count for _, count in query(KEPT.format("orders"))]
        return contents(query, "ecommerce", "orders", "customers"), counts

    expected = calm(deliver_all, load)
    assert expected[1] == [2, 1, 1]
    run_to_death(point, settings, "cli", "load", "ecommerce")
    assert load() == expected
