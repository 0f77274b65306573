"""Records of the products' API: loaded as text, once, and again only if they changed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.main import main
from ingestion.column_names import raw_column_name
from ingestion.json_records import ExactNumber, InvalidRecordError, to_row
from ingestion.sources.products import PRODUCTS
from samples.apis.server import SampleApis
from tests.ingestion.api.helpers import DELIVERED, REQUESTS, Load, check_counts, offered, text
from tests.ingestion.conftest import Query


def test_products_are_loaded_once_as_text(load: Load, apis: SampleApis, query: Query) -> None:
    result = load()
    assert (result.name, result.status, result.rows_read, result.rows_loaded) == (
        "products.api",
        "loaded",
        200,
        200,
    )
    assert len(apis.faults.requests) == REQUESTS
    assert query(DELIVERED) == offered(apis)
    assert len({price for _, _, price, *_ in query(DELIVERED)} & {"24.99", "25.0", "35.0", "35.01"}) == 4
    types = query(
        "select column_name, data_type from information_schema.columns where table_schema = 'raw_sales' and table_name = 'products'"
    )
    assert dict(types) == dict.fromkeys(
        [*PRODUCTS.columns, "_source_file", "_row_id", "_corrects_row_id", "_dlt_load_id"], "VARCHAR"
    ) | {"_source_row": "BIGINT"}
    assert query("select distinct _source_file, status, extra_columns from raw_sales.products, raw_sales.file_loads") == [
        ("products.api", "loaded", None)
    ]  # fmt: skip
    check_counts(query)


def test_load_without_changes_writes_no_row(load: Load, query: Query) -> None:
    load()
    tables = ("products", "file_loads", "rejected_lines", "_dlt_loads", "_dlt_version")
    before = [query(f"from raw_sales.{table} order by all") for table in tables]
    assert load().status == "skipped"
    assert [query(f"from raw_sales.{table} order by all") for table in tables] == before


def test_only_changes_are_requested_and_written(load: Load, apis: SampleApis, query: Query) -> None:
    load()
    ids = query("select id, _row_id from raw_sales.products")
    apis.faults.requests.clear()
    apis.products.change(7, price=24.5)
    apis.products.change(201, name="New", price=1, category="Toys")
    result = load()
    assert (result.rows_loaded, result.rows_read) == (2, 27)
    # A day before the last change that is known.
    assert "updated_since=2024-01-03T08%3A00%3A00Z" in apis.faults.requests[0].query
    assert query(DELIVERED) == offered(apis)
    assert query("select count(*) from raw_sales.products group by _dlt_load_id order by 1") == [(2,), (199,)]
    assert set(ids) < set(query("select id, _row_id from raw_sales.products"))
    check_counts(query)


@pytest.mark.parametrize("price", ["cheap", True, None, {"amount": 1.5, "in": ["EUR", None]}, 10**30])
def test_other_types_are_text_in_the_same_column(
    price: Any, load: Load, apis: SampleApis, query: Query
) -> None:
    load()
    apis.products.change(5, price=price)
    load()
    columns = len(query("describe raw_sales.products"))
    assert columns == len(PRODUCTS.columns) + 5
    assert query("select price from raw_sales.products where id = '5'") == [(text(price),)]
    assert query(DELIVERED) == offered(apis)


def test_new_field_is_kept_and_reported(
    load: Load, apis: SampleApis, query: Query, capsys: pytest.CaptureFixture
) -> None:
    load()
    apis.products.change(5, brandName="Acme", _row_id="mine")
    assert load().extra_columns == ("brand_name", "delivered_row_id")
    assert query("select id, brand_name from raw_sales.products where brand_name is not null") == [
        ("5", "Acme")
    ]
    assert query("select extra_columns from raw_sales.file_loads") == [("brand_name, delivered_row_id",)]
    apis.products.change(6, brandName="Other")
    assert main(["load", "products"]) == 0
    assert "extra columns: brand_name, delivered_row_id" in capsys.readouterr().out
    # A product without the field is the same product.
    apis.products.change(5)
    apis.products.products[-1].pop("brandName")
    load()
    assert query("select id, brand_name from raw_sales.products where brand_name is not null") == [
        ("6", "Other")
    ]
    check_counts(query)


def test_invalid_records_are_rejected_with_a_reason(load: Load, apis: SampleApis, query: Query) -> None:
    late = "2024-01-04T07:00:00Z"
    apis.products.products += [
        "stray",
        {"name": "no id", "updated_at": late},
        {"id": " ", "updated_at": late},
        {"id": 900, "Name": "a", "name": "b", "updated_at": late},
        {"id": 901, "name": "\ud800", "updated_at": late},
        {"id": 902, "": 1, "updated_at": "2024-01-01T00:00:00Z"},
    ]
    result = load()
    assert (result.rows_loaded, result.rows_rejected) == (200, 6)
    reasons = "select reason, count(*) from raw_sales.rejected_lines group by all order by all"
    assert query(reasons) == [
        ("record has a field without a name", 1),
        ("record has no identifier", 2),
        ("record has several fields 'name'", 1),
        ("record has text that is not valid Unicode", 1),
        ("record is not a JSON object", 1),
    ]
    lines = query("select entity, source_file, line from raw_sales.rejected_lines where line like '%no id%'")
    assert lines == [("products", "products.api", json.dumps({"name": "no id", "updated_at": late}))]
    check_counts(query)
    assert load().status == "skipped"

    # One is removed; the others stay, also the one that is too old to be read again.
    apis.products.products = [
        each
        for each in apis.products.products
        if not (isinstance(each, dict) and each.get("name") == "no id")
    ]
    apis.products.change(7, price=8)
    assert load().rows_loaded == 1
    assert query("select count(*) from raw_sales.rejected_lines") == [(5,)]
    check_counts(query)


def test_source_is_a_name_on_the_command_line(
    apis: SampleApis, query: Query, capsys: pytest.CaptureFixture
) -> None:
    assert main(["load", "products"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "loaded    products  products.api  200 rows"
    assert main(["load", "sales", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["results"]
    assert ("products", "skipped") in [(file["entity"], file["status"]) for file in files]
    assert main(["load", "sales", "--entity", "products"]) == 0
    assert main(["load", "products", "--month", "2024-01"]) == 2
    assert query(DELIVERED) == offered(apis)


def test_values_are_kept_as_delivered() -> None:
    record = {
        "id": 7,
        "Unit Price": ExactNumber("25.10"),
        "big": ExactNumber("1e400"),
        "no": None,
        "empty": "",
        "flag": False,
        "nested": {"ä": [1, None]},
        "_dlt_id": "x",
        "_id": "y",
        "数量": 3,
        "\ud800": 4,
    }
    assert to_row(record) == {
        "id": "7",
        "unit_price": "25.10",
        "big": "1e400",
        "no": None,
        "empty": "",
        "flag": "false",
        "nested": '{"ä": [1, null]}',
        "delivered_dlt_id": "x",
        "delivered_id": "y",
        "shu_liang_5e29d1": "3",
        raw_column_name("\ud800"): "4",
    }
    for wrong in (None, [], "text", 1, {" ": 1}, {"a b": 1, "a_b": 2}):
        with pytest.raises(InvalidRecordError):
            to_row(wrong)


def test_times_of_samples_are_in_the_past(apis: SampleApis) -> None:
    # A load does not start at a time in the future.
    apis.products.change(1)
    assert datetime.fromisoformat(apis.products.products[-1]["updated_at"]) < datetime.now(UTC)
