"""Tables of SQLite and PostgreSQL and a REST API with pages, whose rows change between loads and while loads are killed.

The declarations are those of the documentation.
"""

# ruff: noqa: F811 (a test's arguments are fixtures that are imported)
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from ingestion.extract import rest_api
from ingestion.extract.database import database_table
from ingestion.files.file_resource import FileResource
from ingestion.load import load_domain
from ingestion.row_source import RowSource
from settings import Settings
from tests.forks import run_in_fork
from tests.ingestion.conftest import Query
from tests.ingestion.declared import declare
from tests.ingestion.documented import documented, documented_configuration
from tests.kill_at import COMPLETE, arm
from tests.servers.databases import PASSWORD, USER
from tests.servers.fake_api import Request, serving
from tests.servers.postgres import Postgres
from tests.servers.postgres_fixtures import server  # noqa: F401

pytestmark = pytest.mark.slow

DATABASE_URL = "SLUICE_CRM_DATABASE_URL"
KINDS = ("sqlite", "postgres", "rest")
POINTS = [
    # The rows are read, but in no file yet; they are in a file, but the cursor is where it was; they are loaded, but dlt
    # has not noted it.
    ("ingestion.extract.extract:_write_rows", "after", 1),
    ("ingestion.extract.extract:_write_state", "before", 1),
    (COMPLETE, "before", 1),
]
EACH_ONCE = "select id, fee from raw_crm.accounts qualify row_number() over (partition by id order by updated_at desc) = 1"


class Source:
    """Accounts that a test writes. Each has an id, a fee and the time of its last change."""

    def __init__(self, kind: str, execute: Callable[[str], object], tickets: dict[int, dict]) -> None:
        self.kind = kind
        self._execute = execute
        self._tickets = tickets
        self._time = datetime(2024, 5, 1, 8, tzinfo=UTC)

    def put(self, number: int, fee: str | None) -> None:
        """Add an account, or change its fee; later than all before."""
        self._time += timedelta(days=1)
        self._execute(
            f"insert into accounts values ({number}, {fee or 'null'}, '{self._time.isoformat(sep=' ')}')"
            " on conflict (id) do update set fee = excluded.fee, updated_at = excluded.updated_at"
        )
        self._tickets[number] = {"id": number, "fee": fee, "updated_at": self._time.isoformat()}

    def remove(self, number: int) -> None:
        """Delete an account."""
        self._execute(f"delete from accounts where id = {number}")
        self._tickets.pop(number)


@pytest.fixture
def tickets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, dict]]:
    """The tickets of an API with pages of two, for those who have its key."""
    tickets: dict[int, dict] = {}

    def answer(request: Request) -> tuple[int, dict]:
        page = int(request.get("page", "1"))
        found = [each for each in tickets.values() if each["updated_at"] >= request.get("since", "")]
        is_known = request.headers["Authorization"] == "Bearer key-of-tests"
        shown = found[2 * page - 2 : 2 * page] if is_known else []
        return 200, {"tickets": shown, "pages": (len(found) + 1) // 2}

    monkeypatch.setattr("ingestion.extract.rest_api.FOLDER", tmp_path)
    (tmp_path / "desk.yml").write_text(documented_configuration())
    monkeypatch.setenv("SLUICE_DESK_API_KEY", "key-of-tests")
    with serving(answer) as url:
        monkeypatch.setenv("SLUICE_DESK_API_URL", url)
        yield tickets


@pytest.fixture(params=KINDS)
def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Source]:
    """A source with three accounts."""
    tickets: dict[int, dict] = {}
    execute: Callable[[str], object] = len
    if request.param == "rest":
        tickets = request.getfixturevalue("tickets")
    elif request.param == "sqlite":
        monkeypatch.setenv(DATABASE_URL, f"sqlite:///{tmp_path / 'crm.db'}")
        database = sqlite3.connect(tmp_path / "crm.db", isolation_level=None)
        database.execute("create table accounts (id integer primary key, fee decimal(9, 2), updated_at text)")
        execute = database.execute
    else:
        server: Postgres = request.getfixturevalue("server")
        # It has no session of the test before.
        server.psql("drop database if exists crm")
        server.psql("create database crm template template1")
        server.psql(
            "create table accounts (id int primary key, fee numeric(9, 2), updated_at timestamptz);"
            f"grant select on accounts to {USER}",
            database="crm",
        )
        address = f"{USER}:{quote(PASSWORD, safe='')}@{server.host}:{server.port}"
        monkeypatch.setenv(DATABASE_URL, f"postgresql://{address}/crm")

        def execute(sql: str) -> object:
            return server.psql(sql, database="crm")

    source = Source(request.param, execute, tickets)
    for number, fee in enumerate(("9.50", "9.50", None), start=1):
        source.put(number, fee)
    yield source
    if request.param == "sqlite":
        database.close()


def load(kind: str, *, incremental: bool = True) -> dict[str, int]:
    """Load the accounts; how many rows each new or changed file has."""
    if kind == "rest":
        tickets = documented("TICKETS").source
        assert isinstance(tickets, RowSource)
        rows = tickets if incremental else RowSource(tickets.rows)
    else:
        accounts = documented("ACCOUNTS").source
        assert isinstance(accounts, RowSource)
        rows = accounts if incremental else database_table(DATABASE_URL, "accounts")
    resource: FileResource = replace(documented("ACCOUNTS"), source=rows)
    with pytest.MonkeyPatch.context() as patch:
        declare(patch, resource)
        results = load_domain("crm").results
    return {each.name: each.rows_loaded for each in results if each.status != "skipped"}


def test_a_second_load_reads_what_is_new_or_has_changed(source: Source, query: Query) -> None:
    assert load(source.kind) == {"accounts_000001.jsonl": 3}
    assert load(source.kind) == {}
    source.put(2, "3.00")
    source.put(4, "1.00")
    assert load(source.kind) == {"accounts_000002.jsonl": 2}
    assert load(source.kind) == {}
    assert sorted(query(EACH_ONCE)) == [("1", "9.50"), ("2", "3.00"), ("3", None), ("4", "1.00")]


def test_rows_that_are_deleted_stay_if_it_is_incremental(source: Source, query: Query) -> None:
    load(source.kind)
    source.remove(1)
    source.put(4, "1.00")
    assert load(source.kind) == {"accounts_000002.jsonl": 1}
    assert sorted(query("select id from raw_crm.accounts")) == [("1",), ("2",), ("3",), ("4",)]


def test_rows_that_are_deleted_leave_if_all_are_read(source: Source, query: Query) -> None:
    assert load(source.kind, incremental=False) == {"accounts.jsonl": 3}
    assert load(source.kind, incremental=False) == {}
    source.remove(1)
    source.put(4, "1.00")
    assert load(source.kind, incremental=False) == {"accounts.jsonl": 3}
    assert sorted(query("select id from raw_crm.accounts")) == [("2",), ("3",), ("4",)]


def _die(point: tuple[str, str, int], kind: str, folder: Path) -> None:
    # A process of its own.
    rest_api.FOLDER = folder
    arm(*point)
    load(kind)


def test_loads_that_are_killed_and_repeated_lose_and_double_nothing(
    source: Source, query: Query, settings: Settings, tmp_path: Path
) -> None:
    load(source.kind)
    for number, point in enumerate(POINTS, start=4):
        source.put(number, "1.00")
        source.put(1, f"{number}.00")
        status, output = run_in_fork(120, settings, _die, point, source.kind, tmp_path)
        assert status == -signal.SIGKILL, (point, output)
        # Other rows than the killed load has seen.
        source.put(2, f"{number}.00")
        load(source.kind)
        assert load(source.kind) == {}
        versions = query(
            "select id, updated_at, count(*) from raw_crm.accounts group by all having count(*) > 1"
        )
        assert versions == [], point
    latest = [("1", "6.00"), ("2", "6.00"), ("3", None), ("4", "1.00"), ("5", "1.00"), ("6", "1.00")]
    assert sorted(query(EACH_ONCE)) == latest
    counts = "select sum(rows_loaded), (select count(*) from raw_crm.accounts) from raw_crm.file_loads where status = 'loaded'"
    ((loaded, found),) = query(counts)
    assert loaded == found
