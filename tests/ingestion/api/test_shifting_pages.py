"""Pages that shift while they are read lose no record."""

import json
from datetime import datetime, timedelta

import pytest
import requests

from ingestion.api.errors import SourceApiError
from ingestion.sources.products import PAGE_SIZE, ProductsSettings
from samples.apis.faults import Fault
from samples.apis.server import SampleApis
from samples.apis.variables import TOKEN
from tests.ingestion.api.helpers import DELIVERED, Load, check_counts, offered
from tests.ingestion.conftest import Query


def test_pages_by_number_would_lose_products(apis: SampleApis) -> None:
    # This shows that the sample API shifts, for the next test.
    variables = {"url": ProductsSettings().api_url, "page": 0}
    ids = set()
    while True:
        variables["page"] += 1
        page = requests.get(
            f"{variables['url']}/products",
            params={"page": variables["page"], "page_size": 20},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=5,
        ).json()["items"]
        if not page:
            break
        ids |= {record["id"] for record in page}
        if variables["page"] < 4:
            apis.products.change(variables["page"], price=1)
    assert set(range(1, 201)) - ids == {21, 42, 63}


@pytest.mark.parametrize("changes", [1, 3])
def test_shifting_pages_lose_nothing(changes: int, load: Load, apis: SampleApis, query: Query) -> None:
    for number in range(1, 10):
        apis.products.change(number, price=number)
    coming = iter(range(1, 1000))

    def shift() -> None:
        for _ in range(changes):
            # Products of the first import and later ones, read or not.
            number = next(coming) * 37 % 200 + 1
            apis.products.change(number, price=number / 4)

    apis.faults.coming = [None, *[Fault(then=shift)] * 12]
    load()
    assert apis.faults.coming == []
    assert query(DELIVERED) == offered(apis)
    check_counts(query)


def test_removed_products_hide_no_other(load: Load, apis: SampleApis, query: Query) -> None:
    def remove() -> None:
        del apis.products.products[:5]

    # Before the second page of the import, whose products all have one time.
    apis.faults.coming = [None, None, Fault(then=remove)]
    load()
    assert set(offered(apis)) <= set(query(DELIVERED))
    assert len(query(DELIVERED)) == 200


@pytest.mark.parametrize("before", [1, 2])
def test_repeated_page_hides_no_other(before: int, load: Load, apis: SampleApis, query: Query) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{ProductsSettings().api_url}/products?page_size={PAGE_SIZE}"
    first = requests.get(url, headers=headers, timeout=5).content
    apis.faults.coming = [*[None] * before, Fault(body=first)]
    load()
    assert query(DELIVERED) == offered(apis)


def test_server_that_always_repeats_a_page_is_an_error(load: Load, apis: SampleApis) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{ProductsSettings().api_url}/products?page_size={PAGE_SIZE}"
    apis.faults.always = Fault(body=requests.get(url, headers=headers, timeout=5).content)
    with pytest.raises(SourceApiError, match="the server repeats page [0-9]+"):
        load()
    assert len(apis.faults.requests) < 15


def test_wrong_order_is_an_error(load: Load, apis: SampleApis) -> None:
    body = {"items": list(reversed(apis.products.products))}
    apis.faults.coming = [Fault(body=json.dumps(body).encode())]
    with pytest.raises(SourceApiError, match="not in the order of updated_at"):
        load()
    load()
    old = {"items": apis.products.products[:PAGE_SIZE]}
    apis.faults.coming = [Fault(body=json.dumps(old).encode())]
    with pytest.raises(SourceApiError, match="ignores updated_since"):
        load()


def test_records_that_become_visible_within_a_day_are_loaded(
    load: Load, apis: SampleApis, query: Query
) -> None:
    load()
    last = datetime.fromisoformat(apis.products.products[-1]["updated_at"])
    for number, hours in ((301, 23), (302, 24)):
        apis.products.change(number, updated_at=f"{last - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}")
    load()
    assert query(DELIVERED) == offered(apis)


def test_time_in_the_future_hides_no_change(load: Load, apis: SampleApis, query: Query) -> None:
    apis.products.change(1, updated_at="2999-01-01T00:00:00Z")
    load()
    apis.products.change(2, price=3)
    assert load().rows_loaded == 1
    assert query(DELIVERED) == offered(apis)
