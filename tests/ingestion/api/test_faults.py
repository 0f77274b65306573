"""An API that fails, and what is told of it: no token, and no more than was asked for."""

import json
import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.main import main
from ingestion.api.client import ApiError
from ingestion.sources.products import ProductsSettings
from samples.apis.faults import KINDS, Fault
from samples.apis.server import SampleApis
from samples.apis.variables import TOKEN
from settings import Settings
from tests.ingestion.api.products import CALM_REQUESTS, DELIVERED, TRIES, Load, check_accounts, offered
from tests.ingestion.conftest import Query


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
    waits = [record.args[2] for record in caplog.records if record.name == "ingestion.download.retry"]
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
    assert query("select count(*) from raw_sales.file_loads") == [(0,)]
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
    assert TOKEN not in told + caplog.text + repr(ProductsSettings())
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


def test_an_api_that_cannot_be_read_leaves_the_rest_of_the_domain(
    apis: SampleApis, query: Query, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    apis.faults.coming = [KINDS["401"]]
    assert main(["load", "products"]) == 1
    assert "failed    products  products.api  http://127.0.0.1" in capsys.readouterr().out
    monkeypatch.delenv("SLUICE_PRODUCTS_API_URL")
    assert main(["load", "products"]) == 1
    assert "SLUICE_PRODUCTS_API_URL is not set; `sluice samples serve` offers" in capsys.readouterr().out


def test_a_server_that_asks_for_a_token_hears_that_there_is_none(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLUICE_PRODUCTS_API_TOKEN")
    with pytest.raises(ApiError, match="SLUICE_PRODUCTS_API_TOKEN is not set: 401"):
        load()
