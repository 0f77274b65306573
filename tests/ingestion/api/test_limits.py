"""Limits of what a load takes from an API; each error names its setting."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

import settings as project_settings
from ingestion.api.errors import SourceApiError
from ingestion.api.load_api import load_api
from ingestion.sources.products import PRODUCTS
from samples.apis.faults import Fault
from samples.apis.server import SampleApis
from settings import SettingsError
from tests.ingestion.api.helpers import Load
from tests.ingestion.conftest import Query

TIME = "2024-01-04T07:00:00Z"


def wide(number: int, fields: int, prefix: str = "f") -> dict:
    return {"id": number, "updated_at": TIME, **{f"{prefix}{field}": field for field in range(fields)}}


def test_records_with_too_many_fields_are_rejected(load: Load, apis: SampleApis, query: Query) -> None:
    apis.products.products += [
        wide(901, 5_000),
        wide(902, 900, "a"),
        wide(903, 900, "b"),
        wide(904, 800, "a"),
    ]
    result = load()
    assert (result.rows_loaded, result.rows_rejected) == (202, 2)
    assert query("select reason from raw_sales.rejected_lines order by line_number") == [
        ("record has 5,002 fields; at most 1,000 are allowed (SLUICE_API_MAX_COLUMNS)",),
        (
            "the table would have 1,810 columns with the fields of this record; at most 1,000 are allowed"
            " (SLUICE_API_MAX_COLUMNS)",
        ),
    ]
    assert len(query("describe raw_sales.products")) == 5 + 5 + 900
    # The columns of the table count in later loads, too.
    apis.products.products.append(wide(905, 200, "c"))
    result = load()
    assert (result.rows_loaded, result.rows_rejected) == (0, 3)


def test_pages_of_a_load_are_limited_and_the_next_one_goes_on(
    load: Load, apis: SampleApis, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 151):
        apis.products.change(number, price=number)
    monkeypatch.setenv("SLUICE_API_MAX_PAGES", "3")
    result = load()
    assert result.status == "partial"
    assert "stopped after 3 pages (SLUICE_API_MAX_PAGES)" in result.reason
    monkeypatch.setenv("SLUICE_API_MAX_PAGES", "10")
    load()
    assert query("select count(*) from raw_sales.products") == [(200,)]
    assert query("select reason from raw_sales.file_loads") == [(None,)]


def test_time_of_a_load_is_limited(load: Load, apis: SampleApis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_API_LOAD_SECONDS", "1")
    apis.faults.coming = [None, Fault(seconds=1.1)]
    result = load(timeout=5.0)
    assert result.status == "partial"
    assert "stopped after 1 s (SLUICE_API_LOAD_SECONDS)" in result.reason


@pytest.mark.parametrize("packed", [False, True])
def test_size_of_a_response_is_limited(
    packed: bool, serve: Callable[[bytes, float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_API_MAX_RESPONSE_MB", "1")
    body = b'{"items": [' + b" " * 3_000_000 + b"]}"
    if packed:
        serve(b"Content-Encoding: gzip\r\n", gzip.compress(body), 0.0)
    else:
        serve(b"", body, 0.0)
    with pytest.raises(SourceApiError, match=r"response of more than 1 MB \(SLUICE_API_MAX_RESPONSE_MB\)"):
        load_api(PRODUCTS, project_settings.load())


def test_time_of_a_response_is_limited(serve: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_API_REQUEST_SECONDS", "1")
    serve(b"", b'{"items": []}' + b" " * 1_000, 0.1)
    started = time.monotonic()
    with pytest.raises(SourceApiError, match=r"within 1 s \(SLUICE_API_REQUEST_SECONDS\)"):
        load_api(PRODUCTS, project_settings.load())
    assert time.monotonic() - started < 30


def test_invalid_limit_is_named(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_API_MAX_PAGES", "0")
    with pytest.raises(SettingsError, match="SLUICE_API_MAX_PAGES"):
        load()


@pytest.fixture
def serve(apis: SampleApis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Answer one request with a body, byte by byte if there is a pause between bytes."""
    listening = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("SLUICE_PRODUCTS_API_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")

    def start(header: bytes, body: bytes, pause: float) -> None:
        def answer() -> None:
            connection, _ = listening.accept()
            # The client may close the connection first.
            with connection, suppress(OSError):
                connection.recv(65536)
                head = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (header, len(body))
                connection.sendall(head)
                for at in range(0, len(body), 1 if pause else len(body)):
                    connection.sendall(body[at : at + 1] if pause else body)
                    time.sleep(pause)

        threading.Thread(target=answer, daemon=True).start()

    yield start
    listening.close()
