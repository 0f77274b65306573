"""Tables of a database as the source of a new domain."""

import sqlite3
from pathlib import Path

import pytest

from scaffolding.database_tables import declare_sources, read_tables
from scaffolding.errors import ScaffoldingError
from scaffolding.profile import profile

URL = "SLUICE_CRM_DATABASE_URL"


def write_database(path: Path) -> None:
    """Write accounts, which have the time of their last change, and visits that refer to them."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "create table accounts (id integer primary key, segment text, fee decimal(9, 2), updated_at timestamp)"
        )
        connection.execute(
            "create table visits (visit_id integer primary key, account_id int, visited_on date)"
        )
        for number in range(1, 41):
            account = (
                number,
                "trade" if number % 2 else "retail",
                number * 1.25,
                f"2024-05-{number % 28 + 1:02} 08:00:00",
            )
            connection.execute("insert into accounts values (?, ?, ?, ?)", account)
        for number in range(1, 201):
            visit = (number, number % 40 + 1, f"2024-{number % 5 + 1:02}-{number % 28 + 1:02}")
            connection.execute("insert into visits values (?, ?, ?)", visit)
        connection.execute("create table empty (id integer)")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_database(tmp_path / "crm.db")
    monkeypatch.setenv(URL, f"sqlite:///{tmp_path / 'crm.db'}")


@pytest.mark.usefixtures("database")
def test_tables_are_declared_as_sources(tmp_path: Path) -> None:
    tables = read_tables(URL, ["accounts", "visits"], tmp_path)
    found = profile("crm", [*map(Path, tables)], tables)
    declare_sources(found, URL, tables)
    assert {entity.name: (entity.source, entity.pattern, entity.rows) for entity in found.entities} == {
        "accounts": (f"database_table('{URL}', 'accounts', cursor='updated_at')", "accounts_[0-9]*", 40),
        "visits": (f"database_table('{URL}', 'visits')", "visits.jsonl", 200),
    }
    assert [(each.column, each.entity) for each in found.entity("visits").references] == [
        ("account_id", "accounts")
    ]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("table", "message"), [("empty", "has no row"), ("missing", "could not be read")])
def test_a_table_that_says_nothing_is_refused(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(ScaffoldingError, match=message):
        read_tables(URL, [table], tmp_path)
