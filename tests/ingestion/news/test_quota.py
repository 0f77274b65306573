"""A server that refuses further requests (429): what came is kept, and the next load goes on from there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

import settings as project_settings
from ingestion.api.errors import SourceApiError
from ingestion.api.load_api import load_api
from ingestion.results import LoadResult
from ingestion.sources.news import ARTICLES
from settings import Settings
from tests.ingestion.conftest import Query
from tests.ingestion.news.model_calls import QUICK
from tests.servers.fake_api import serving

COUNT = "select count(*) from raw_news.articles"
WORDS = "Only 50 requests in 12 hours; try again later."


class Quota:
    """A plan that gives the newest 100 articles of a query, and a number of answers."""

    def __init__(self, articles: int = 450) -> None:
        now = datetime.now(UTC)
        self.published = [_text(now - timedelta(minutes=number)) for number in range(articles)]
        self.left: float = 3
        self.requests = 0
        self.refused = 0

    def publish(self, number: int) -> None:
        now = datetime.now(UTC)
        self.published = [_text(now) for _ in range(number)] + self.published

    def answer(self, params: dict[str, str]) -> tuple[int, dict]:
        self.requests += 1
        if self.left < 1:
            self.refused += 1
            return 429, {"status": "error", "code": "rateLimited", "message": WORDS}
        self.left -= 1
        if int(params.get("page", 1)) > 1:
            words = "This plan gives the first 100 results."
            return 426, {"status": "error", "code": "maximumResultsReached", "message": words}
        total = len(self.published)
        found = [
            _article(total - 1 - place, time)
            for place, time in enumerate(self.published)
            if params.get("from", "") <= time.removesuffix("Z") <= params.get("to", "~")
        ]
        return 200, {"status": "ok", "totalResults": len(found), "articles": found[:100]}


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _article(number: int, time: str) -> dict:
    return {
        "source": {"id": None, "name": "Paper"},
        "title": f"Title {number}",
        "description": f"About {number}",
        "url": f"https://news.example/{number}",
        "publishedAt": time,
        "content": f"Text {number}",
    }


@contextmanager
def _plan(plan: Quota, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quota]:
    with serving(plan.answer) as url:
        monkeypatch.setenv("SLUICE_NEWS_API_URL", url)
        monkeypatch.setenv("SLUICE_NEWS_API_KEY", "a-key-of-news")
        yield plan


@pytest.fixture
def plan(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quota]:
    with _plan(Quota(), monkeypatch) as plan:
        yield plan


def read() -> LoadResult:
    return load_api(ARTICLES, project_settings.load(), policy=QUICK)


def test_what_came_before_the_quota_is_kept_and_the_next_load_goes_on(plan: Quota, query: Query) -> None:
    result = read()
    assert (result.status, query(COUNT)) == ("partial", [(199,)])
    assert plan.refused <= 3
    oldest = plan.published[198].removesuffix("Z")
    assert f"records before {oldest} were not read" in result.reason
    assert WORDS in result.reason
    assert query("select reason from raw_news.file_loads") == [(result.reason,)]
    # Whatever the quota of a load is, it gets further.
    seen = [199]
    for answers in (1, 3):
        plan.left, plan.refused = answers, 0
        assert read().status == "partial"
        ((count,),) = query(COUNT)
        seen.append(count)
    assert seen == sorted(set(seen))
    # What has been published meanwhile is not forgotten.
    plan.publish(5)
    plan.left = 100
    assert read().status == "loaded"
    assert query(COUNT) == [(455,)]
    assert query("select reason, unread from raw_news.file_loads") == [(None, None)]
    assert read().status == "skipped"


def test_small_quotas_add_up_to_all_records(plan: Quota, query: Query) -> None:
    for _ in range(12):
        plan.left = 3
        if read().status != "partial":
            break
    assert query(COUNT) == [(450,)]
    assert query("select reason from raw_news.file_loads") == [(None,)]


def test_quota_that_is_used_up_at_the_start_fails_and_loses_nothing(plan: Quota, query: Query) -> None:
    plan.left = 0
    with pytest.raises(SourceApiError, match="Only 50 requests in 12 hours"):
        read()
    assert plan.requests == 3
    plan.left = 3
    read()
    before = query("select * from raw_news.file_loads")
    plan.left = 0
    with pytest.raises(SourceApiError, match="rateLimited"):
        read()
    assert query("select * from raw_news.file_loads") == before
    plan.left = 100
    assert (read().status, query(COUNT)) == ("loaded", [(450,)])


def test_total_is_not_believed_against_what_comes(
    settings: Settings, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = [_article(number, f"2024-05-01T00:{number % 60:02}:00Z") for number in range(350)]
    asked = []
    totals = [0, 100, 10**9]

    def answer(params: dict[str, str]) -> tuple[int, dict]:
        page = int(params["page"])
        asked.append(page)
        shown = articles[(page - 1) * 100 : page * 100]
        return 200, {"totalResults": totals[0], "articles": shown}

    with serving(answer) as url:
        monkeypatch.setenv("SLUICE_NEWS_API_URL", url)
        monkeypatch.setenv("SLUICE_NEWS_API_KEY", "a-key-of-news")
        monkeypatch.setenv("SLUICE_NEWS_REQUESTS_PER_DAY", "1000")
        while totals:
            asked.clear()
            assert read().status in ("loaded", "skipped")
            assert query(COUNT) == [(350,)]
            assert len(asked) < 12
            totals.pop(0)
