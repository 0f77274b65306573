"""Products from an API that fails in every way: the rows of a calm one, or a clear error at once."""

import json
import logging
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

import settings as project_settings
from ingestion.__main__ import main
from ingestion.load_file import FileResult
from ingestion.rest.api_client import ApiError
from ingestion.rest.load_endpoint import load_endpoint
from ingestion.rest.records import DeliveredNumber, NoRecordError, as_row
from ingestion.sources.products import PAGE_SIZE, PRODUCTS
from samples.apis.faults import KINDS, Fault
from samples.apis.server import SampleApis
from samples.apis.variables import TOKEN
from settings import Settings
from tests.ingestion.conftest import Query, check_rows
from tests.kill_at import Point, named, run_to_death

TRIES = 4
# Requests that a load of all products makes.
CALM_REQUESTS = 7
DELIVERED = f"select {', '.join(PRODUCTS.columns)} from raw_sales.products order by id::int"
COPY = "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run"
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
POINTS = [
    ("ingestion.rest.api_client:ApiClient.extract_response", "after", 2),
    ("dlt.extract.extract:Extract.extract", "after", 1),
    ("dlt.normalize.normalize:Normalize.run", "after", 1),
    (COPY, "after", 1),
    (MERGE, "before", 1),
    (MERGE, "after", 1),
    (MERGE, "after", 2),
    ("dlt.load.load:Load.complete_package", "before", 1),
    ("dlt.load.load:Load.complete_package", "after", 1),
]
Load = Callable[..., FileResult]


@pytest.fixture
def load(apis: SampleApis) -> Load:
    """Load the products, with little patience."""

    def run(**patience: float) -> FileResult:
        quick = {"timeout": 1.0, "tries": TRIES, "first_wait": 0.01} | patience
        return load_endpoint(PRODUCTS, project_settings.load(), **quick)

    return run


def text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def offered(apis: SampleApis) -> list[tuple[str | None, ...]]:
    """The products as the API has them now, as they must be in raw."""
    records = sorted(apis.products.products, key=lambda record: record["id"])
    return [tuple(text(record.get(column)) for column in PRODUCTS.columns) for record in records]


def check_accounts(query: Query) -> None:
    check_rows(query, "sales", "products")


def test_products_arrive_as_text_and_once(load: Load, apis: SampleApis, query: Query) -> None:
    result = load()
    assert (result.name, result.status, result.rows_read, result.rows_loaded) == (
        "products.api",
        "loaded",
        200,
        200,
    )
    assert len(apis.faults.requests) == CALM_REQUESTS
    assert query(DELIVERED) == offered(apis)
    assert len({price for _, _, price, *_ in query(DELIVERED)} & {"24.99", "25.0", "35.0", "35.01"}) == 4
    types = query(
        "select column_name, data_type from information_schema.columns where table_schema = 'raw_sales' and table_name = 'products'"
    )
    assert dict(types) == dict.fromkeys(
        [*PRODUCTS.columns, "_source_file", "_row_id", "_replaces_row_id", "_dlt_load_id"], "VARCHAR"
    ) | {"_source_row": "BIGINT"}
    assert query("select distinct _source_file, status, extra_columns from raw_sales.products, raw_sales.input_files") == [
        ("products.api", "loaded", None)
    ]  # fmt: skip
    check_accounts(query)


def test_a_load_without_news_changes_no_row(load: Load, query: Query) -> None:
    load()
    tables = ("products", "input_files", "rejected_lines", "_dlt_loads", "_dlt_version")
    before = [query(f"from raw_sales.{table} order by all") for table in tables]
    assert load().status == "skipped"
    assert [query(f"from raw_sales.{table} order by all") for table in tables] == before


def test_only_what_changed_is_asked_for_and_written(load: Load, apis: SampleApis, query: Query) -> None:
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
    check_accounts(query)


@pytest.mark.parametrize("kind", ["429", "500", "stall", "cut"])
@pytest.mark.parametrize("before", [0, 4])
def test_what_passes_changes_nothing(
    kind: str, before: int, load: Load, apis: SampleApis, query: Query
) -> None:
    fault = Fault(status=429, headers={"Retry-After": "0"}) if kind == "429" else KINDS[kind]
    apis.faults.coming = [*[None] * before, *[fault] * (2 if kind != "stall" else 1)]
    load(timeout=0.3)
    assert len(apis.faults.requests) == CALM_REQUESTS + (2 if kind != "stall" else 1)
    assert query(DELIVERED) == offered(apis)
    check_accounts(query)


def test_a_server_is_given_the_time_that_it_asks_for(
    load: Load, apis: SampleApis, caplog: pytest.LogCaptureFixture
) -> None:
    apis.faults.coming = [KINDS["429"], Fault(status=503), Fault(status=503)]
    load()
    waits = [record.args[2] for record in caplog.records if record.name == "ingestion.web.patience"]
    assert waits[0] == 1.0
    # Growing, with jitter.
    assert 0.01 <= waits[1] <= 0.02
    assert 0.02 <= waits[2] <= 0.04


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (KINDS["401"], "refuses what SLUICE_PRODUCTS_API_TOKEN says: 401 Unauthorized (as it was ordered)"),
        (KINDS["403"], "refuses what SLUICE_PRODUCTS_API_TOKEN says: 403 Forbidden"),
        (KINDS["404"], "answered 404 Not Found"),
        (KINDS["malformed"], "the answer is not JSON: "),
        (Fault(body=b""), "the answer is not JSON: Expecting value at character 0"),
        (Fault(body=b"[" * 100_000), "the answer is not JSON: "),
        (Fault(body=b'{"items": [NaN]}'), "the answer is not JSON: NaN is no number of JSON"),
        (Fault(body=b'{"items": "\xff"}'), "the answer is not JSON: UnicodeDecodeError"),
        (Fault(body=b"[]"), "the answer is JSON, but no object"),
        (Fault(body=b'{"items": {}}'), "the answer has no list 'items'"),
        (Fault(status=302, headers={"Location": "http://127.0.0.1:1/"}), "answered 302 Found; is SLUICE_PRODUCTS_API_URL the"),
        (Fault(status=429, headers={"Retry-After": "3600"}), "asks to wait for 3600 s, over 60 s"),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_said_at_once(
    fault: Fault, words: str, load: Load, apis: SampleApis, query: Query
) -> None:
    apis.faults.coming = [None, None, fault]
    with pytest.raises(ApiError) as caught:
        load()
    assert words in str(caught.value)
    assert str(caught.value).startswith("http://127.0.0.1:")
    assert len(apis.faults.requests) == 3
    assert query("select count(*) from raw_sales.products") == [(0,)]
    assert query("select count(*) from raw_sales.input_files") == [(0,)]
    load()
    assert query(DELIVERED) == offered(apis)


def test_a_server_that_stays_broken_is_given_up(load: Load, apis: SampleApis, query: Query) -> None:
    load()
    apis.faults.requests.clear()
    apis.faults.always = KINDS["500"]
    with pytest.raises(ApiError, match="4 tries without progress, at last: the server answered 500"):
        load()
    assert len(apis.faults.requests) == TRIES
    assert query(DELIVERED) == offered(apis)


def test_pages_by_number_would_lose_products(apis: SampleApis) -> None:
    # What the next test is about: the sample API shifts as others do.
    variables = {"url": project_settings.load().apis["products"].url, "page": 0}
    ids = set()
    while True:
        variables["page"] += 1
        page = requests.get(
            f"{variables['url']}/products",
            params={"page": variables["page"], "page_size": 20},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=5,
        ).json()["items"]
        if not page:
            break
        ids |= {record["id"] for record in page}
        if variables["page"] < 4:
            apis.products.change(variables["page"], price=1)
    assert set(range(1, 201)) - ids == {21, 42, 63}


@pytest.mark.parametrize("changes", [1, 3])
def test_pages_that_shift_while_they_are_read_lose_nothing(
    changes: int, load: Load, apis: SampleApis, query: Query
) -> None:
    for number in range(1, 10):
        apis.products.change(number, price=number)
    coming = iter(range(1, 1000))

    def shift() -> None:
        for _ in range(changes):
            # Those of the first import and later ones, read or not.
            number = next(coming) * 37 % 200 + 1
            apis.products.change(number, price=number / 4)

    apis.faults.coming = [None, *[Fault(then=shift)] * 12]
    load()
    assert apis.faults.coming == []
    assert query(DELIVERED) == offered(apis)
    check_accounts(query)


def test_products_that_vanish_from_a_page_that_was_read_hide_no_other(
    load: Load, apis: SampleApis, query: Query
) -> None:
    def remove() -> None:
        del apis.products.products[:5]

    # Before the second page of the import, whose products are all of one time.
    apis.faults.coming = [None, None, Fault(then=remove)]
    load()
    assert set(offered(apis)) <= set(query(DELIVERED))
    assert len(query(DELIVERED)) == 200


@pytest.mark.parametrize("before", [1, 2])
def test_a_page_that_comes_twice_hides_no_other(
    before: int, load: Load, apis: SampleApis, query: Query
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{project_settings.load().apis['products'].url}/products?page_size={PAGE_SIZE}"
    first = requests.get(url, headers=headers, timeout=5).content
    apis.faults.coming = [*[None] * before, Fault(body=first)]
    load()
    assert query(DELIVERED) == offered(apis)


def test_a_server_that_gives_one_page_for_ever_is_found_out(load: Load, apis: SampleApis) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{project_settings.load().apis['products'].url}/products?page_size={PAGE_SIZE}"
    apis.faults.always = Fault(body=requests.get(url, headers=headers, timeout=5).content)
    with pytest.raises(ApiError, match="gives page [0-9]+ again and again"):
        load()
    assert len(apis.faults.requests) < 10


def test_an_order_in_which_changes_would_be_missed_is_found_out(load: Load, apis: SampleApis) -> None:
    body = {"items": list(reversed(apis.products.products))}
    apis.faults.coming = [Fault(body=json.dumps(body).encode())]
    with pytest.raises(ApiError, match="do not come in the order of updated_at"):
        load()
    load()
    old = {"items": apis.products.products[:PAGE_SIZE]}
    apis.faults.coming = [Fault(body=json.dumps(old).encode())]
    with pytest.raises(ApiError, match="does not heed updated_since"):
        load()


def test_what_becomes_visible_late_is_found_for_a_day(load: Load, apis: SampleApis, query: Query) -> None:
    load()
    last = datetime.fromisoformat(apis.products.products[-1]["updated_at"])
    for number, hours in ((301, 23), (302, 24)):
        apis.products.change(number, updated_at=f"{last - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}")
    load()
    assert query(DELIVERED) == offered(apis)


def test_a_time_to_come_hides_no_change(load: Load, apis: SampleApis, query: Query) -> None:
    apis.products.change(1, updated_at="2999-01-01T00:00:00Z")
    load()
    apis.products.change(2, price=3)
    assert load().rows_loaded == 1
    assert query(DELIVERED) == offered(apis)


@pytest.mark.parametrize("price", ["cheap", True, None, {"amount": 1.5, "in": ["EUR", None]}, 10**30])
def test_another_type_is_a_text_in_the_same_column(
    price: Any, load: Load, apis: SampleApis, query: Query
) -> None:
    load()
    apis.products.change(5, price=price)
    load()
    columns = len(query("describe raw_sales.products"))
    assert columns == len(PRODUCTS.columns) + 5
    assert query("select price from raw_sales.products where id = '5'") == [(text(price),)]
    assert query(DELIVERED) == offered(apis)


def test_a_new_field_is_kept_and_said(
    load: Load, apis: SampleApis, query: Query, capsys: pytest.CaptureFixture
) -> None:
    load()
    apis.products.change(5, brandName="Acme", _row_id="mine")
    assert load().extra_columns == ("brand_name",)
    assert query("select id, brand_name from raw_sales.products where brand_name is not null") == [
        ("5", "Acme")
    ]
    assert query("select extra_columns from raw_sales.input_files") == [("brand_name",)]
    apis.products.change(6, brandName="Other")
    assert main(["products"]) == 0
    assert "extra columns kept: brand_name" in capsys.readouterr().out
    # A product without the field is the same product.
    apis.products.change(5)
    apis.products.products[-1].pop("brandName")
    load()
    assert query("select id, brand_name from raw_sales.products where brand_name is not null") == [
        ("6", "Other")
    ]
    check_accounts(query)


def test_what_is_no_record_is_rejected_with_a_reason(load: Load, apis: SampleApis, query: Query) -> None:
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
        ("a field has no name", 1),
        ("fields occur twice: name", 1),
        ("it has nothing that it could be known by", 2),
        ("it has text that is no Unicode", 1),
        ("it is not an object", 1),
    ]
    lines = query("select entity, source_file, line from raw_sales.rejected_lines where line like '%no id%'")
    assert lines == [("products", "products.api", json.dumps({"name": "no id", "updated_at": late}))]
    check_accounts(query)
    assert load().status == "skipped"

    # One is mended, and leaves; the others stay, also the one that is too old to come again.
    apis.products.products = [
        each
        for each in apis.products.products
        if not (isinstance(each, dict) and each.get("name") == "no id")
    ]
    apis.products.change(7, price=8)
    assert load().rows_loaded == 1
    assert query("select count(*) from raw_sales.rejected_lines") == [(5,)]
    check_accounts(query)


def test_the_token_is_nowhere(
    load: Load,
    apis: SampleApis,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    load()
    told = ""
    for fault in (KINDS["401"], KINDS["404"], KINDS["malformed"], KINDS["cut"],
                  Fault(status=400, body=json.dumps({"message": f"Bearer {TOKEN} is odd"}).encode())):  # fmt: skip
        apis.faults.coming = [fault] * TRIES
        with pytest.raises(ApiError) as caught:
            load()
        told += "".join(traceback.format_exception(caught.value))
    assert "Bearer *** is odd" in told
    assert TOKEN not in told + caplog.text + repr(project_settings.load())
    assert {request.headers["authorization"] for request in apis.faults.requests} == {f"Bearer {TOKEN}"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert settings.warehouse in files
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_the_token_does_not_follow_to_another_server(load: Load, apis: SampleApis) -> None:
    asked: list[str | None] = []

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_error(500)

    other = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        apis.faults.always = Fault(
            status=307, headers={"Location": f"http://127.0.0.1:{other.server_port}/products"}
        )
        with pytest.raises(ApiError, match="307"):
            load()
    finally:
        other.shutdown()
        other.server_close()
        thread.join()
    assert asked == []


@pytest.mark.parametrize("point", POINTS, ids=named)
def test_a_killed_load_is_completed_by_the_next(
    point: Point, load: Load, apis: SampleApis, query: Query
) -> None:
    apis.products.products[0:0] = [{"name": "no id", "updated_at": "2024-01-01T00:00:00Z"}]
    load()
    # Far enough from each other that one is not in the overlap of the other.
    for number, day in ((1, "2024-03-01"), (2, "2024-03-05"), (300, "2024-03-09")):
        apis.products.change(number, price=2.5, updated_at=f"{day}T00:00:00Z")
    apis.products.products.append({"name": "nor this", "updated_at": "2024-03-02T00:00:00Z"})
    run_to_death(point, project_settings.load(), "products")
    load()
    apis.products.products = [each for each in apis.products.products if "id" in each]
    assert query(DELIVERED) == offered(apis)
    assert query("select count(*) from raw_sales.rejected_lines") == [(2,)]
    check_accounts(query)
    assert load().status == "skipped"


def test_products_is_a_name_on_the_command_line(
    apis: SampleApis, query: Query, capsys: pytest.CaptureFixture
) -> None:
    assert main(["products"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "loaded    products  products.api  200 rows"
    assert main(["sales", "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert ("products", "skipped") in [(file["entity"], file["status"]) for file in files]
    assert main(["sales", "--entity", "products"]) == 0
    assert main(["products", "--month", "2024-01"]) == 2
    assert query(DELIVERED) == offered(apis)


def test_an_api_that_cannot_be_read_leaves_the_rest_of_the_domain(
    apis: SampleApis, query: Query, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    apis.faults.coming = [KINDS["401"]]
    assert main(["products"]) == 1
    assert "failed    products  products.api  http://127.0.0.1" in capsys.readouterr().out
    monkeypatch.delenv("SLUICE_PRODUCTS_API_URL")
    assert main(["products"]) == 1
    assert "SLUICE_PRODUCTS_API_URL is not set; `python -m samples serve` offers" in capsys.readouterr().out


def test_a_server_that_asks_for_a_token_hears_that_there_is_none(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLUICE_PRODUCTS_API_TOKEN")
    with pytest.raises(ApiError, match="SLUICE_PRODUCTS_API_TOKEN is not set: 401"):
        load()


def test_a_warehouse_is_free_while_the_api_is_read(load: Load, apis: SampleApis, settings: Settings) -> None:
    opened = []

    def write() -> None:
        with duckdb.connect(str(settings.warehouse)) as connection:
            opened.append(connection.execute("create schema if not exists elsewhere").fetchall())

    apis.faults.coming = [None, Fault(then=write)]
    load()
    assert len(opened) == 1


def test_a_record_is_kept_as_it_was_delivered() -> None:
    record = {
        "id": 7,
        "Unit Price": DeliveredNumber("25.10"),
        "big": DeliveredNumber("1e400"),
        "no": None,
        "empty": "",
        "flag": False,
        "nested": {"ä": [1, None]},
        "_dlt_id": "x",
    }
    assert as_row(record) == {
        "id": "7",
        "unit_price": "25.10",
        "big": "1e400",
        "no": None,
        "empty": "",
        "flag": "false",
        "nested": '{"ä": [1, null]}',
    }
    for wrong in (None, [], "text", 1, {" ": 1}, {"a b": 1, "a_b": 2}):
        with pytest.raises(NoRecordError):
            as_row(wrong)


def test_the_sample_times_lie_in_the_past(apis: SampleApis) -> None:
    # Else the platform would not take them for the time from which on to read.
    apis.products.change(1)
    assert datetime.fromisoformat(apis.products.products[-1]["updated_at"]) < datetime.now(UTC)
