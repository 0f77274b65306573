"""The products of the sample API, and the rows that a load of them should have."""

import json
from collections.abc import Callable
from typing import Any

from ingestion.results import LoadResult
from ingestion.sources.products import PRODUCTS
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query, check_rows

ATTEMPTS = 4
# Requests of a load of all products without faults.
REQUESTS = 7
DELIVERED = f"select {', '.join(PRODUCTS.columns)} from raw_sales.products order by id::int"
Load = Callable[..., LoadResult]


def text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def offered(apis: SampleApis) -> list[tuple[str | None, ...]]:
    """Return the products of the API as they must be in raw."""
    records = sorted(apis.products.products, key=lambda record: record["id"])
    return [tuple(text(record.get(column)) for column in PRODUCTS.columns) for record in records]


def check_counts(query: Query) -> None:
    check_rows(query, "sales", "products")
