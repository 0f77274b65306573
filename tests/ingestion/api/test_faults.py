"""Failures of an API: retries, and errors without the token."""

import json
import logging
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.main import main
from ingestion.api.errors import SourceApiError
from ingestion.sources.products import ProductsSettings
from samples.apis.faults import KINDS, Fault
from samples.apis.server import SampleApis
from samples.apis.variables import TOKEN
from settings import Settings
from tests.ingestion.api.helpers import ATTEMPTS, DELIVERED, REQUESTS, Load, check_counts, offered
from tests.ingestion.conftest import Query


@pytest.mark.parametrize("kind", ["429", "500", "stall", "cut"])
@pytest.mark.parametrize("before", [0, 4])
def test_temporary_failures_are_retried(
    kind: str, before: int, load: Load, apis: SampleApis, query: Query
) -> None:
    fault = Fault(status=429, headers={"Retry-After": "0"}) if kind == "429" else KINDS[kind]
    apis.faults.coming = [*[None] * before, *[fault] * (2 if kind != "stall" else 1)]
    # Only for a response that does not come: a busy machine may take longer for any other.
    load(timeout=1.0 if kind == "stall" else 30.0)
    assert len(apis.faults.requests) == REQUESTS + (2 if kind != "stall" else 1)
    assert query(DELIVERED) == offered(apis)
    check_counts(query)


def test_retries_wait_as_the_server_asks_and_ever_longer(
    load: Load, apis: SampleApis, caplog: pytest.LogCaptureFixture
) -> None:
    apis.faults.coming = [KINDS["429"], Fault(status=503), Fault(status=503)]
    load()
    waits = [record.args[2] for record in caplog.records if record.name == "ingestion.http"]
    assert waits[0] == 1.0
    # Growing, with jitter.
    assert 0.01 <= waits[1] <= 0.02
    assert 0.02 <= waits[2] <= 0.04


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (KINDS["401"], "HTTP 401 Unauthorized; check SLUICE_PRODUCTS_API_TOKEN (as it was ordered)"),
        (KINDS["403"], "HTTP 403 Forbidden; check SLUICE_PRODUCTS_API_TOKEN"),
        (KINDS["404"], "HTTP 404 Not Found"),
        (KINDS["malformed"], "invalid response: not JSON, "),
        (Fault(body=b""), "invalid response: not JSON, Expecting value at character 0"),
        (Fault(body=b"[" * 100_000), "invalid response: not JSON, "),
        (Fault(body=b'{"items": [NaN]}'), "invalid response: not JSON, NaN is not a number"),
        (Fault(body=b'{"items": "\xff"}'), "invalid response: not JSON, UnicodeDecodeError"),
        (Fault(body=b"[]"), "invalid response: not a JSON object"),
        (Fault(body=b'{"items": {}}'), "invalid response: no list 'items'"),
        (Fault(status=302, headers={"Location": "http://127.0.0.1:1/"}), "HTTP 302 Found; redirects are not followed, check SLUICE_PRODUCTS_API_URL"),
    ],
)  # fmt: skip
def test_permanent_failures_are_reported_at_once(
    fault: Fault, words: str, load: Load, apis: SampleApis, query: Query
) -> None:
    apis.faults.coming = [None, None, fault]
    with pytest.raises(SourceApiError) as caught:
        load()
    assert words in str(caught.value)
    assert str(caught.value).startswith("http://127.0.0.1:")
    assert len(apis.faults.requests) == 3
    assert query("select count(*) from raw_sales.products") == [(0,)]
    assert query("select count(*) from raw_sales.file_loads") == [(0,)]
    load()
    assert query(DELIVERED) == offered(apis)


@pytest.mark.parametrize(
    ("fault", "requests", "words"),
    [
        (Fault(status=429, headers={"Retry-After": "3600"}), 1, "the server asks to wait 3600 s"),
        (Fault(status=429, body=b'{"message": "Ten a day."}'), 3, "HTTP 429 Too Many Requests (Ten a day.)"),
    ],
)
def test_what_came_before_too_many_requests_is_kept(
    fault: Fault, requests: int, words: str, load: Load, apis: SampleApis, query: Query
) -> None:
    for number in range(1, 101):
        apis.products.change(number, price=number)
    apis.faults.coming, apis.faults.always = [None] * 2, fault
    result = load()
    assert result.status == "partial"
    assert f"{words}" in result.reason
    assert len(apis.faults.requests) == 2 + requests
    ((count,),) = query("select count(*) from raw_sales.products")
    assert 100 <= count < 200
    assert query("select reason from raw_sales.file_loads") == [(result.reason,)]
    apis.faults.always = None
    assert load().status == "loaded"
    assert query(DELIVERED) == offered(apis)
    assert query("select reason from raw_sales.file_loads") == [(None,)]
    check_counts(query)


def test_retries_end_after_the_last_attempt(load: Load, apis: SampleApis, query: Query) -> None:
    load()
    apis.faults.requests.clear()
    apis.faults.always = KINDS["500"]
    with pytest.raises(SourceApiError, match="gave up after 4 attempts: HTTP 500"):
        load()
    assert len(apis.faults.requests) == ATTEMPTS
    assert query(DELIVERED) == offered(apis)


def test_token_is_in_no_file_or_message(
    load: Load,
    apis: SampleApis,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    caplog.set_level(logging.DEBUG)
    load()
    messages = ""
    for fault in (KINDS["401"], KINDS["404"], KINDS["malformed"], KINDS["cut"],
                  Fault(status=400, body=json.dumps({"message": f"Bearer {TOKEN} is odd"}).encode())):  # fmt: skip
        apis.faults.coming = [fault] * ATTEMPTS
        with pytest.raises(SourceApiError) as caught:
            load()
        messages += "".join(traceback.format_exception(caught.value))
    assert "Bearer *** is odd" in messages
    assert TOKEN not in messages + caplog.text + repr(ProductsSettings())
    assert {request.headers["authorization"] for request in apis.faults.requests} == {f"Bearer {TOKEN}"}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert settings.warehouse in files
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_redirect_does_not_carry_the_token(load: Load, apis: SampleApis) -> None:
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
        with pytest.raises(SourceApiError, match="307"):
            load()
    finally:
        other.shutdown()
        other.server_close()
        thread.join()
    assert asked == []


def test_failed_api_is_one_result_of_the_domain(
    apis: SampleApis, query: Query, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    apis.faults.coming = [KINDS["401"]]
    assert main(["load", "products"]) == 1
    assert "failed    products  products.api  http://127.0.0.1" in capsys.readouterr().out
    monkeypatch.delenv("SLUICE_PRODUCTS_API_URL")
    assert main(["load", "products"]) == 1
    assert "SLUICE_PRODUCTS_API_URL is not set; `sluice samples serve` starts" in capsys.readouterr().out


def test_missing_token_is_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_PRODUCTS_API_TOKEN")
    with pytest.raises(SourceApiError, match="HTTP 401 Unauthorized; SLUICE_PRODUCTS_API_TOKEN is not set"):
        load()
