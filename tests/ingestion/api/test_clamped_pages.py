"""An API that answers a page beyond the last one with the last one again is read to its end."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

import settings as project_settings
from ingestion.api.errors import SourceApiError
from ingestion.api.load_api import load_api
from ingestion.results import LoadResult
from ingestion.retry_policy import RetryPolicy
from ingestion.sources.products import PRODUCTS
from settings import Settings
from tests.ingestion.conftest import Query
from tests.servers.fake_api import serving

Paging = Callable[[list[dict], int, int], list[dict]]


def clamped(items: list[dict], page: int, size: int) -> list[dict]:
    last = max((len(items) - 1) // size, 0)
    start = min(page - 1, last) * size
    return items[start : start + size]


def own_size(items: list[dict], page: int, size: int) -> list[dict]:
    return clamped(items, page, 100)


def first_page_only(items: list[dict], page: int, size: int) -> list[dict]:
    return items[:size]


def second_page_again(items: list[dict], page: int, size: int) -> list[dict]:
    return clamped(items, min(page, 2), size)


@dataclass
class Shop:
    times: list[str]
    paging: Paging
    requests: int = 0

    def answer(self, params: dict[str, str]) -> tuple[int, dict]:
        self.requests += 1
        since = params.get("updated_since", "")
        items = [
            {"id": number, "name": f"N{number}", "updated_at": time}
            for number, time in enumerate(self.times)
            if time >= since
        ]
        return 200, {"items": self.paging(items, int(params.get("page", 1)), int(params["page_size"]))}


def spread(count: int) -> list[str]:
    return [f"2024-05-{1 + number // 10:02}T{number % 10:02}:00:00Z" for number in range(count)]


def at_once(count: int) -> list[str]:
    return ["2024-05-01T00:00:00Z"] * count


@pytest.fixture
def load(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[Shop, int], list[LoadResult]]:
    def run(shop: Shop, times: int) -> list[LoadResult]:
        policy = RetryPolicy(1.0, attempts=2, first_wait=0.01)
        with serving(shop.answer) as url:
            monkeypatch.setenv("SLUICE_PRODUCTS_API_URL", url)
            return [load_api(PRODUCTS, project_settings.load(), policy=policy) for _ in range(times)]

    return run


@pytest.mark.parametrize(
    ("times", "paging"),
    [
        (spread(150), clamped),
        (spread(100) + ["2024-06-01T00:00:00Z"] * 200, clamped),
        (at_once(200), clamped),
        (at_once(30), clamped),
        (at_once(30), own_size),
        (at_once(1), first_page_only),
        ([], clamped),
    ],
    ids=["spread", "full pages at last", "full pages", "short page", "own size", "one", "none"],
)
def test_clamped_pages_are_read_to_their_end(
    times: list[str], paging: Paging, load: Callable, query: Query
) -> None:
    shop = Shop(times, paging)
    first, second = load(shop, 2)
    assert query("select count(*) from raw_sales.products") == [(len(times),)]
    assert (first.rows_loaded, second.status) == (len(times), "skipped")
    assert shop.requests < 40


@pytest.mark.parametrize(
    ("times", "paging"),
    [(at_once(250), first_page_only), (at_once(350), second_page_again), (at_once(150), first_page_only)],
    ids=["first page", "second page", "one and a half"],
)
def test_repeated_page_that_hides_records_is_an_error(
    times: list[str], paging: Paging, load: Callable
) -> None:
    with pytest.raises(SourceApiError, match="the server repeats page [0-9]+, so records may be missing"):
        load(Shop(times, paging), 1)
