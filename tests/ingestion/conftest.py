"""Deliveries of collisions, and a look into what was loaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.sources.collisions import CRASHES
from settings import Settings

Query = Callable[..., list[tuple[Any, ...]]]
Deliver = Callable[..., Path]


def crash(collision_id: int, **values: str) -> str:
    """One CSV line in the order of the known columns."""
    row = dict.fromkeys(CRASHES.columns, "") | {
        "crash_date": "04/18/2022",
        "crash_time": "19:20",
        "collision_id": str(collision_id),
        **values,
    }
    return ",".join(row.values())


@pytest.fixture
def deliver(settings: Settings) -> Deliver:
    """Put a file of collisions with the given lines into landing."""

    def put(name: str, *lines: str, header: str = ",".join(CRASHES.columns)) -> Path:
        path = settings.landing("collisions") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in (header, *lines)))
        return path

    return put


@pytest.fixture
def query(settings: Settings) -> Query:
    """Rows of a query on the working warehouse."""

    def run(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    return run
