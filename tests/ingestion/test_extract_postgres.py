"""Rows of a PostgreSQL table and of a REST API with pages, as the documentation shows them."""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

import duckdb
import pytest

from ingestion.extract.extract import extract
from ingestion.files.file_resource import FileResource
from settings import Settings
from tests.ingestion.documented import documented
from tests.servers.databases import PASSWORD, USER
from tests.servers.postgres import Postgres
from tests.servers.postgres_fixtures import server  # noqa: F401

pytestmark = pytest.mark.slow


def rows(resource: FileResource, settings: Settings) -> list[tuple]:
    files = settings.landing(resource.domain) / f"{resource.entity}*.jsonl"
    return duckdb.sql(f"select * from read_json('{files}', format = 'nd') order by all").fetchall()


def test_a_table_of_postgresql(server: Postgres, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    server.psql("create database crm template template1")
    url = f"postgresql://{USER}:{quote(PASSWORD, safe='')}@{server.host}:{server.port}/crm"
    monkeypatch.setenv("SLUICE_CRM_DATABASE_URL", url)
    psql = f"grant all on schema public to {USER}; create table accounts (id int, fee numeric(9, 2), updated_at timestamptz);"
    server.psql(
        f"{psql} grant select on accounts to {USER};"
        " insert into accounts values (1, 9.50, '2024-05-01 08:00+02'), (2, null, '2024-05-02 08:00+00')",
        database="crm",
    )
    accounts = documented("ACCOUNTS")
    assert extract(accounts, settings).rows_read == 2
    assert extract(accounts, settings).status == "skipped"
    server.psql(
        "update accounts set fee = 3, updated_at = '2024-05-03 08:00+00' where id = 2", database="crm"
    )
    assert extract(accounts, settings).name == "accounts_000002.jsonl"
    assert [row[:2] for row in rows(accounts, settings)] == [(1, "9.50"), (2, "3.00"), (2, None)]


class Tickets(BaseHTTPRequestHandler):
    """An API with pages of two tickets."""

    times = [datetime(2024, 5, day, tzinfo=UTC) for day in (1, 2, 3)]

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        since, page = query.get("since", [""])[0], int(query.get("page", ["1"])[0])
        found = [
            {"id": number, "updated_at": time.isoformat()}
            for number, time in enumerate(self.times, 1)
            if time.isoformat() >= since
        ]
        shown = (
            found[2 * page - 2 : 2 * page] if self.headers["Authorization"] == "Bearer key-of-tests" else []
        )
        answer = json.dumps({"tickets": shown, "pages": (len(found) + 1) // 2}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Tickets]]:
    api = ThreadingHTTPServer(("127.0.0.1", 0), Tickets)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    monkeypatch.setenv("SLUICE_DESK_API_URL", f"http://127.0.0.1:{api.server_port}")
    monkeypatch.setenv("SLUICE_DESK_API_KEY", "key-of-tests")
    yield Tickets
    api.shutdown()
    api.server_close()


def test_a_rest_api_with_pages(
    api: type[Tickets], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = documented("TICKETS")
    assert extract(tickets, settings).rows_read == 3
    assert extract(tickets, settings).status == "skipped"
    monkeypatch.setattr(api, "times", [*api.times, api.times[-1] + timedelta(days=1)])
    assert extract(tickets, settings).rows_read == 1
    assert [row[0] for row in rows(tickets, settings)] == [1, 2, 3, 4]
