"""Limits of a plan: records are read in another way, or reported as missing, and the rest is loaded."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.main import main
from ingestion.api import request_budget
from samples.apis.faults import Fault
from samples.apis.news import article
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query, check_rows
from tests.ingestion.news.model_calls import ALL, Run

URLS = "select url from raw_news.articles order by url"
REASON = "select reason from raw_news.file_loads"


def test_limit_of_one_page_per_query_loses_nothing(read: Run, apis: SampleApis, query: Query) -> None:
    apis.news.most = 100
    result = read()
    assert (result.status, result.rows_loaded) == ("loaded", ALL)
    assert query(URLS) == sorted((each["url"],) for each in apis.news.articles)
    assert query(REASON) == [(None,)]
    # One article of each window is the first of the next one; the limit is met once.
    assert len(apis.news_faults.requests) == 8 + 1
    check_rows(query, "news", "articles")
    assert read().status == "skipped"
    assert len(apis.news_faults.requests) == 8 + 1 + 1


def test_more_articles_in_one_second_than_the_limit_are_reported(
    read: Run, apis: SampleApis, query: Query
) -> None:
    apis.news.most = 100
    for number in range(1, 131):
        apis.news.publish(article(ALL + number), publishedAt="2024-03-30T12:00:30Z")
    for _ in range(2):
        result = read()
        assert result.status == "partial"
        assert "more records are from 2024-03-30T12:00:30" in result.reason
        assert query(REASON) == [(result.reason,)]
        # The records before that second are loaded as well.
        assert query("select count(*), min(published_at) from raw_news.articles") == [
            (ALL + 100, apis.news.articles[ALL - 1]["publishedAt"])
        ]
    assert main(["load", "news", "--entity", "articles"]) == 1


def test_records_read_before_the_request_budget_ends_are_kept(
    read: Run, apis: SampleApis, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_NEWS_REQUESTS_PER_DAY", "5")
    # Without a URL it is not an article, and is rejected.
    apis.news.articles[-1]["url"] = None
    apis.news_faults.coming = [None] * 4 + [Fault(status=500)]
    result = read()
    assert (result.status, result.rows_loaded) == ("partial", 400)
    assert "records before 2024-03-15T08:00:00 were not read" in result.reason
    assert "SLUICE_NEWS_REQUESTS_PER_DAY" in result.reason
    monkeypatch.setattr(request_budget, "_today", lambda: datetime.now(UTC).date() + timedelta(days=1))
    monkeypatch.setenv("SLUICE_NEWS_REQUESTS_PER_DAY", "100")
    assert (read().status, query(REASON)) == ("loaded", [(None,)])
    rejected = "select count(*) from raw_news.rejected_lines"
    assert query("select count(*) from raw_news.articles") + query(rejected) == [(ALL - 1,), (1,)]
    # Readings that end before that record keep it rejected; the second one begins without a time.
    monkeypatch.setenv("SLUICE_NEWS_REQUESTS_PER_DAY", "1")
    for number in range(1, 131):
        apis.news.publish(article(ALL + number))
    for days in (2, 3):
        day = datetime.now(UTC).date() + timedelta(days=days)
        monkeypatch.setattr(request_budget, "_today", lambda day=day: day)
        assert read().status == "partial"
        assert query(rejected) == [(1,)]


def test_gap_longer_than_the_plan_covers_is_reported_once(read: Run, apis: SampleApis, query: Query) -> None:
    read()
    apis.news.oldest = "2024-04-20T00:00:00"
    apis.news.publish(article(ALL + 1), publishedAt="2024-04-19T00:00:00Z")
    apis.news.publish(article(ALL + 2), publishedAt="2024-05-01T00:00:00Z")
    result = read()
    assert (result.status, result.rows_loaded) == ("partial", 1)
    assert "records since 2024-03-30T23:00:00 may be missing" in result.reason
    assert "as far back as 2024-04-20" in result.reason
    assert query(REASON) == [(result.reason,)]
    assert (read().status, query(REASON)) == ("loaded", [(None,)])
    assert read().status == "skipped"
    check_rows(query, "news", "articles")
