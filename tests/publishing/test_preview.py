"""Marts of two databases are compared row by row; end_to_end has the whole preview, on real models."""

from collections.abc import Iterator

import duckdb
import pytest

from publishing.data_diff import EXAMPLES, DataDiff, TableDiff
from publishing.marts import Mart
from publishing.preview import PUBLISHED, Preview

KEYED = Mart("fct_things", key=("id", "part"))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"attach ':memory:' as {PUBLISHED}")
        for database in ("memory", PUBLISHED):
            connection.execute(f"create schema {database}.marts")
            connection.execute(
                f"create table {database}.marts.fct_things as"
                " select range // 2 as id, range % 2 as part, range as amount, null::text as words from range(100)"
            )
        yield connection


def compare(connection: duckdb.DuckDBPyConnection, mart: Mart, *statements: str) -> TableDiff:
    for statement in statements:
        connection.execute(statement)
    return DataDiff(connection, PUBLISHED, None).compare(mart)


def test_equal_tables_do_not_differ(connection: duckdb.DuckDBPyConnection) -> None:
    found = compare(connection, KEYED)
    assert (found.rows, found.differs) == ((100, 100), False)
    assert (
        "The same as published: fct_things." in Preview("things", "v", ("fct_things",), (found,)).markdown()
    )


def test_rows_are_compared_by_key_and_nulls_are_values(connection: duckdb.DuckDBPyConnection) -> None:
    found = compare(
        connection,
        KEYED,
        "update marts.fct_things set amount = -1 where id < 10",
        "update marts.fct_things set words = 'x' where id = 3 and part = 1",
        "delete from marts.fct_things where id = 49 and part = 0",
        "insert into marts.fct_things values (null, 7, 1, 'y')",
    )
    assert found.key == ("id", "part")
    changed = {each.what: each for each in found.changed}
    assert {what: each.rows for what, each in changed.items()} == {
        "rows removed": 1,
        "rows added": 1,
        "amount": 20,
        "words": 1,
    }
    assert changed["rows removed"].examples == (("49, 0", "exists", ""),)
    assert changed["rows added"].examples == (("null, 7", "", "exists"),)
    assert changed["words"].examples == (("3, 1", "null", "x"),)
    assert len(changed["amount"].examples) == EXAMPLES
    assert changed["amount"].examples[0] == ("0, 0", "0", "-1")


@pytest.mark.parametrize("key", [(), ("id",), ("id", "gone")])
def test_whole_rows_are_compared_without_a_unique_key(
    connection: duckdb.DuckDBPyConnection, key: tuple[str, ...]
) -> None:
    mart = Mart("fct_things", key=key)
    found = compare(connection, mart, "update marts.fct_things set amount = -1 where id = 0")
    assert found.key == ()
    assert [(each.what, each.rows) for each in found.changed] == [("rows removed", 2), ("rows added", 2)]
    assert found.changed[1].examples[0] == ("0, 0, -1, null", "", "exists")


def test_added_removed_and_retyped_columns_are_named(connection: duckdb.DuckDBPyConnection) -> None:
    found = compare(
        connection,
        KEYED,
        "alter table marts.fct_things rename words to text",
        "alter table marts.fct_things alter amount type integer",
    )
    assert found.columns == (
        "`words` was removed",
        "`text` was added, VARCHAR",
        "`amount` was BIGINT and is INTEGER",
    )
    assert found.changed == ()
    assert "- `words` was removed" in found.markdown()


def test_a_new_mart_differs(connection: duckdb.DuckDBPyConnection) -> None:
    found = compare(connection, KEYED, f"drop table {PUBLISHED}.marts.fct_things")
    assert (found.rows, found.differs) == ((None, 100), True)
    assert "Rows: none published, 100 with the change." in found.markdown()
