"""A file under a known name that brings rows of other days only is published by force alone."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from common.days import days_as_text, replaced_days
from publishing.replaced_days import replaced_since
from warehouse.duckdb_file import DuckDbWarehouse

FIRST, SECOND = '{"2024-05-01": 2}', '{"2024-05-02": 3}'
PUBLISHED = datetime(2024, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (FIRST, SECOND, "2 rows of 2024-05-01"),
        (FIRST, '{"2024-05-01": 1, "2024-05-02": 3}', None),
        (FIRST, None, None),
        (None, SECOND, None),
        # The same day, written in another way.
        (FIRST, '{"05/01/2024": 2}', None),
        ('{"05/01/2024": 2}', '{"5/2/2024": 2}', "2 rows of 05/01/2024"),
        (
            '{"2024-04-01": 1, "2024-04-02": 1, "2024-04-03": 1, "2024-04-04": 1}',
            SECOND,
            "4 rows of 2024-04-01, 2024-04-02, 2024-04-03 and 1 more days",
        ),
    ],
)
def test_other_days_only(old: str | None, new: str | None, found: str | None) -> None:
    assert replaced_days(old, new) == found


def test_what_is_no_day_is_left_out() -> None:
    assert days_as_text({"2024-05-01": 2, "soon": 1, None: 1, "": 3}) == FIRST
    assert days_as_text({None: 1}) is None
    assert days_as_text({f"{year}-01-01": 1 for year in range(1000, 2000)}) is None


def since(*records: tuple[str, int, str | None], published: bool = True) -> list[str]:
    """What `replaced_since` says of the contents of one file: status, hours after the publication, days."""
    with duckdb.connect() as connection:
        connection.execute(
            "create schema raw_sales; create table raw_sales.file_loads (entity text, source_file text,"
            " status text, loaded_at timestamptz, rows_by_day text)"
        )
        for status, hours, days in records:
            row = ["sales", "sales.csv", status, PUBLISHED + timedelta(hours=hours), days]
            connection.execute("insert into raw_sales.file_loads values (?, ?, ?, ?, ?)", row)
        return replaced_since(
            DuckDbWarehouse(connection), "sales", PUBLISHED.isoformat() if published else None
        )


def test_the_published_content_is_compared_with_the_current_one() -> None:
    stop = ["sales.csv replaces 2 rows of 2024-05-01 by rows of other days only"]
    assert since(("replaced", -1, FIRST), ("loaded", 1, SECOND)) == stop
    # Whatever was delivered in between.
    assert since(("replaced", -1, FIRST), ("replaced", 1, SECOND), ("loaded", 2, SECOND)) == stop
    assert since(("replaced", -1, FIRST), ("replaced", 1, SECOND), ("loaded", 2, FIRST)) == []
    # The published content came back: its record has a new time.
    assert since(("loaded", 2, FIRST), ("replaced", 1, SECOND)) == []
    # Published by force.
    assert since(("replaced", -2, FIRST), ("loaded", -1, SECOND)) == []
    assert since(("replaced", -1, FIRST), ("loaded", 1, SECOND), published=False) == []
