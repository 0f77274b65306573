"""Articles from the news API: each once, within the requests of a day."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.main import main
from ingestion.api import request_budget
from ingestion.api.errors import SourceApiError
from ingestion.sources.news import canonical_url
from samples.apis.faults import KINDS, Fault, edited
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query, check_rows
from tests.ingestion.news.model_calls import ALL, ENRICHED, Run

URLS = "select url from raw_news.articles order by url"


def cut_to(length: int) -> Fault:
    return edited(lambda body: body.update(articles=body["articles"][:length]))


def test_every_article_arrives_once(read: Run, apis: SampleApis, query: Query) -> None:
    assert read().rows_loaded == ALL
    assert len(apis.news_faults.requests) == 8
    assert query(URLS) == sorted((each["url"],) for each in apis.news.articles)
    (row,) = query("select * from raw_news.articles where title like '%(27)'")
    assert json.dumps(apis.news.articles[26]["source"]) in row
    check_rows(query, "news", "articles")


def test_short_and_repeated_pages_lose_nothing(read: Run, apis: SampleApis, query: Query) -> None:
    second: list[Any] = []
    keep = edited(lambda body: second.extend(body["articles"]))
    again = edited(lambda body: body.update(articles=second))
    busy = Fault(status=429, headers={"Retry-After": "0"})
    # Pages 1, 4 and 7 are short, page 3 repeats page 2, and pages 5 and 6 are refused at first.
    apis.news_faults.coming = [
        cut_to(40), keep, again, cut_to(0), busy, busy, None, busy, None, cut_to(99), None,
    ]  # fmt: skip
    assert read().rows_loaded == ALL
    # Eight pages and a look behind the last one, three retries, and four pages again.
    assert len(apis.news_faults.requests) == 9 + 3 + 4
    assert query(URLS) == sorted((each["url"],) for each in apis.news.articles)
    check_rows(query, "news", "articles")


def test_pages_that_stay_short_end_the_reading(read: Run, apis: SampleApis, query: Query) -> None:
    apis.news_faults.always = cut_to(10)
    assert read().rows_loaded == 80
    assert len(apis.news_faults.requests) == 9 + 8


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(status=401, body=b'{"status": "error", "code": "apiKeyInvalid", "message": "No."}'),
         "HTTP 401 Unauthorized; check SLUICE_NEWS_API_KEY (apiKeyInvalid: No.)"),
        (Fault(status=426, body=b'{"code": "parameterInvalid", "message": "No such."}'), "HTTP 426 Upgrade Required (parameterInvalid: No such.)"),
        (edited(lambda body: body.pop("totalResults")), "invalid response: no number 'totalResults'"),
        (KINDS["malformed"], "not JSON"),
    ],
)  # fmt: skip
def test_permanent_failures_are_reported(
    fault: Fault, words: str, read: Run, apis: SampleApis, query: Query
) -> None:
    apis.news_faults.coming = [None, fault]
    with pytest.raises(SourceApiError) as caught:
        read()
    assert words in str(caught.value)
    assert query("select count(*) from raw_news.articles") == [(0,)]


def test_republished_story_is_one_article(read: Run, few: SampleApis, query: Query) -> None:
    tracked = few.news.articles[8]
    assert "?utm_source" in tracked["url"]
    # The same reading has it twice, the older one last.
    few.news.articles.append(
        {**tracked, "url": tracked["url"].split("?")[0] + "/#top", "publishedAt": "2024-01-01T00:00:00Z"}
    )
    assert read().rows_loaded == 12
    assert query("select published_at from raw_news.articles where url = ?", tracked["url"]) == [
        (tracked["publishedAt"],)
    ]
    few.news.publish(few.news.articles[3], title="Mended")
    assert read().rows_loaded == 1
    assert query("select count(*), count(*) filter (title = 'Mended') from raw_news.articles") == [(12, 1)]
    check_rows(query, "news", "articles")


def test_tracking_parameters_do_not_change_the_url() -> None:
    one = "https://example.org/a?b=2&c=1"
    for other in (
        "http://EXAMPLE.org:80/a/?c=1&utm_source=x&b=2&fbclid=y#z",
        " https://example.org:443/a?UTM_Medium=mail&b=2&c=1 ",
    ):
        assert canonical_url(other) == canonical_url(one)
    assert canonical_url("https://example.org/a?b=2") != canonical_url(one)
    assert canonical_url("https://example.org/A") != canonical_url("https://example.org/a")
    assert [canonical_url(text) for text in (None, " ", "no url", "http://[x")] == [
        None,
        None,
        "no url",
        "http://[x",
    ]


def test_runs_share_the_requests_of_a_day(
    read: Run, apis: SampleApis, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_NEWS_REQUESTS_PER_DAY", "11")
    apis.news_faults.coming = [Fault(status=500)]
    read()
    assert len(apis.news_faults.requests) == 9
    read()
    read()
    with pytest.raises(SourceApiError, match="all 11 requests of today .* SLUICE_NEWS_REQUESTS_PER_DAY"):
        read()
    assert len(apis.news_faults.requests) == 11
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    monkeypatch.setattr(request_budget, "_today", lambda: tomorrow)
    assert read().status == "skipped"
    assert len(apis.news_faults.requests) == 12


def test_limited_load_is_followed_by_a_complete_one(apis: SampleApis, query: Query) -> None:
    assert main(["load", "news", "--limit", "10"]) == 0
    assert query("select count(*) from raw_news.articles") == [(10,)]
    assert query("select count(*) from raw_news.enrichments") == [(10,)]
    assert len(apis.news_faults.requests) == 1
    assert main(["load", "news"]) == 0
    assert query("select count(*) from raw_news.articles") == [(ALL,)]
    assert query(ENRICHED) == [("enriched", ALL)]
    assert query("select reason from raw_news.file_loads") == [(None,)]
