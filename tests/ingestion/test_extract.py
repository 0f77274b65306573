"""Rows of databases and other sources, from the source to the raw table."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import pytest

from common.file_lock import file_lock
from ingestion.extract import extract as extract_module
from ingestion.extract.database import database_table
from ingestion.files.file_resource import FileResource
from ingestion.load import load_domain
from ingestion.row_source import RowSource
from settings import Settings
from tests.ingestion.conftest import Query, query_of
from tests.ingestion.declared import declare, load

COLUMNS = ("id", "amount", "updated_at")
URL = "SLUICE_SHOP_DATABASE_URL"
ROWS = "select id, amount, updated_at, _source_file from raw_ecommerce.invoices order by _source_file, _source_row"
LATEST = "select id, max_by(amount, updated_at) from raw_ecommerce.invoices group by id order by id"

Use = Callable[[RowSource], Callable[[], dict[str, str]]]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Use:
    """Declares a source as that of an entity, and returns what loads it: the status or reason of each file."""

    def use(source: RowSource) -> Callable[[], dict[str, str]]:
        invoices = FileResource(
            domain="ecommerce", entity="invoices", columns=COLUMNS, pattern="invoices*", source=source
        )
        declare(monkeypatch, invoices)
        return lambda: load(settings)

    return use


class Database:
    """A SQLite database with invoices."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.execute("create table invoices (id integer primary key, amount decimal(10, 2), updated_at text)")

    def execute(self, *statements: str) -> None:
        with sqlite3.connect(self.path) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    database = Database(tmp_path / "shop.db")
    monkeypatch.setenv(URL, f"sqlite:///{database.path}")
    database.execute("insert into invoices values (1, 9.5, '2024-05-01 08:00'), (2, 3, '2024-05-02 08:00')")
    return database


def test_a_table_is_read_once_and_then_what_changed(use: Use, database: Database, query: Query) -> None:
    load = use(database_table(URL, "invoices", cursor="updated_at"))
    assert load() == {"invoices_000001.jsonl": "loaded"}
    assert load() == {"invoices_000001.jsonl": "skipped"}
    database.execute(
        "update invoices set amount = 4, updated_at = '2024-05-03 08:00' where id = 2",
        "insert into invoices values (3, 1.25, '2024-05-02 08:00')",
        "delete from invoices where id = 1",
    )
    assert load()["invoices_000002.jsonl"] == "loaded"
    assert query(ROWS) == [
        ("1", "9.50", "2024-05-01 08:00", "invoices_000001.jsonl"),
        ("2", "3.00", "2024-05-02 08:00", "invoices_000001.jsonl"),
        ("3", "1.25", "2024-05-02 08:00", "invoices_000002.jsonl"),
        ("2", "4.00", "2024-05-03 08:00", "invoices_000002.jsonl"),
    ]
    assert query(LATEST) == [("1", "9.50"), ("2", "4.00"), ("3", "1.25")]


def test_without_a_cursor_deleted_rows_leave(use: Use, database: Database, query: Query) -> None:
    load = use(database_table(URL, "invoices"))
    assert load() == {"invoices.jsonl": "loaded"}
    assert load() == {"invoices.jsonl": "skipped"}
    database.execute("delete from invoices where id = 1")
    assert load() == {"invoices.jsonl": "replaced"}
    assert query(LATEST) == [("2", "3.00")]


@pytest.mark.parametrize("step", ["_write_state", "_write_rows"])
def test_a_killed_extraction_loses_and_doubles_nothing(
    use: Use, database: Database, query: Query, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    load = use(database_table(URL, "invoices", cursor="updated_at"))
    load()
    database.execute("insert into invoices values (3, 1.25, '2024-05-04 08:00')")

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(extract_module, step, die)
        with pytest.raises(KeyboardInterrupt):
            load()
    database.execute("insert into invoices values (4, 2, '2024-05-05 08:00')")
    load()
    load()
    assert query("select id, count(*) from raw_ecommerce.invoices group by id order by id") == [
        (number, 1) for number in "1234"
    ]
    assert query("select sum(rows_loaded)::int from raw_ecommerce.file_loads where status = 'loaded'") == [
        (4,)
    ]


def test_a_source_that_fails_is_named_without_its_password(
    use: Use, database: Database, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = use(database_table(URL, "invoices", cursor="updated_at"))
    load()
    database.execute("insert into invoices values (9, 1, null)")
    assert load() == {"invoices.jsonl": "a row of invoices has no updated_at, by which it is incremental"}
    monkeypatch.setenv(URL, "postgresql://me:swordfish@127.0.0.1:1/shop")
    (reason,) = load().values()
    assert "could not be read" in reason
    assert "swordfish" not in reason
    monkeypatch.setenv(URL, "me:swordfish, no address")
    assert load() == {
        "invoices.jsonl": "the source of invoices could not be read: its URL is not one that SQLAlchemy can read"
    }
    monkeypatch.delenv(URL)
    assert load() == {
        "invoices.jsonl": f"the source of invoices could not be read: {URL} is not set: the URL of the database"
    }
    assert query("select count(*) from raw_ecommerce.invoices") == [(2,)]


def test_any_dlt_resource_is_a_source(use: Use, query: Query) -> None:
    @dlt.resource
    def invoices() -> Iterator[list[dict]]:
        yield [{"id": 1, "amount": Decimal("9.10"), "updated_at": datetime(2024, 5, 1, 8, tzinfo=UTC)}]
        yield [{"id": 2, "amount": 0.1, "updated_at": None, "tags": ["a", {"b": 1}]}]

    load = use(RowSource(lambda _: invoices()))
    assert load() == {"invoices.jsonl": "loaded"}
    assert query("select id, amount, updated_at, tags from raw_ecommerce.invoices order by id") == [
        ("1", "9.10", "2024-05-01 08:00:00+00:00", None),
        ("2", "0.1", None, '["a", {"b": 1}]'),
    ]


def test_a_second_warehouse_loads_the_same_files(
    use: Use, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = use(database_table(URL, "invoices", cursor="updated_at"))
    load()
    database.execute("insert into invoices values (3, 1.25, '2024-05-04 08:00')")
    load()
    database.execute("insert into invoices values (4, 2.50, '2024-05-05 08:00')")
    other = Settings(data_dir=settings.data_dir, env="staging")
    assert other.warehouse != settings.warehouse
    summary = load_domain("ecommerce", other)
    assert [each.name for each in summary.results] == [
        f"invoices_00000{number}.jsonl" for number in (1, 2, 3)
    ]
    assert query_of(other)("select id from raw_ecommerce.invoices order by id") == [(n,) for n in "1234"]
    assert load()["invoices_000003.jsonl"] == "loaded"


def test_one_process_at_a_time_reads_a_source(
    use: Use, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = use(database_table(URL, "invoices", cursor="updated_at"))
    monkeypatch.setattr("ingestion.extract.state.WAIT_SECONDS", 0.1)
    settings.landing("ecommerce").mkdir(parents=True)
    with file_lock(settings.landing("ecommerce") / ".invoices.state.lock", 0):
        (reason,) = load().values()
    assert reason.startswith("another process reads the source of invoices: process ")
    assert load() == {"invoices_000001.jsonl": "loaded"}
