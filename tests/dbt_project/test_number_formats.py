"""Numbers with decimal commas, marks between groups of digits, and units."""

import duckdb

from settings import Settings
from tests.dbt_project.number_formats import check
from tests.parsed import Parsed


def test_numbers_are_read_as_their_column_says(settings: Settings, project: Parsed) -> None:
    project.put(settings)
    with duckdb.connect() as connection:
        check(settings, lambda sql: connection.execute(sql).fetchall())
