"""News from an API that leaves out and repeats, judged by a model that fails in every way, within budgets."""

import json
import logging
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import settings as project_settings
from ingestion.__main__ import main
from ingestion.enrich import enrich as enriching
from ingestion.enrich.enrich import enrich
from ingestion.enrich.judgement import TOPICS, Article, Judgement
from ingestion.enrich.local import LocalProvider
from ingestion.enrich.outlook import outlook
from ingestion.enrich.prices import price_of
from ingestion.load_file import FileResult
from ingestion.rest import request_budget
from ingestion.rest.api_client import ApiError
from ingestion.rest.load_endpoint import load_endpoint
from ingestion.sources.news import ARTICLES, canonical_url
from samples.apis.faults import KINDS, Fault, edited
from samples.apis.model import says
from samples.apis.news import article
from samples.apis.server import SampleApis
from samples.apis.variables import MODEL_KEY, NEWS_KEY
from settings import Settings, SettingsError
from tests.ingestion.conftest import Query, check_rows
from tests.kill_at import Point, run_to_death

ALL = 729
TRIES = 3
QUICK = {"timeout": 1.0, "tries": TRIES, "first_wait": 0.01}
URLS = "select url from raw_news.articles order by url"
ENRICHED = "select status, count(*) from raw_news.enrichments group by all order by all"
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
Run = Callable[..., FileResult]


@pytest.fixture
def read(apis: SampleApis) -> Run:
    """Load the articles, with little patience."""
    return lambda **more: load_endpoint(ARTICLES, project_settings.load(), **(QUICK | more))


@pytest.fixture
def few(apis: SampleApis) -> SampleApis:
    """The sample APIs with twelve articles."""
    apis.news.articles = apis.news.articles[:12]
    return apis


@pytest.fixture
def model(few: SampleApis, monkeypatch: pytest.MonkeyPatch) -> SampleApis:
    """Twelve articles, and a model that is to judge them, one after another."""
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    monkeypatch.setenv("SLUICE_ENRICH_CONCURRENCY", "1")
    return few


@pytest.fixture
def judge(read: Run) -> Run:
    """Load the articles and judge them, with little patience."""

    def run(**more: Any) -> FileResult:
        read()
        return enrich(ARTICLES, project_settings.load(), **(QUICK | more))

    return run


def asked(apis: SampleApis) -> int:
    """Requests that the model's API got."""
    return len(apis.model_faults.requests)


def cut_to(length: int) -> Fault:
    return edited(lambda body: body.update(articles=body["articles"][:length]))


def spent(query: Query) -> Decimal:
    return query("select coalesce(sum(cost_usd), 0) from raw_news.llm_usage")[0][0]


def test_every_article_arrives_once(read: Run, apis: SampleApis, query: Query) -> None:
    assert read().rows_loaded == ALL
    assert len(apis.news_faults.requests) == 8
    assert query(URLS) == sorted((each["url"],) for each in apis.news.articles)
    (row,) = query("select * from raw_news.articles where title like '%(27)'")
    assert json.dumps(apis.news.articles[26]["source"]) in row
    check_rows(query, "news", "articles")


def test_short_pages_a_page_twice_and_too_many_requests_lose_nothing(
    read: Run, apis: SampleApis, query: Query
) -> None:
    second: list[Any] = []
    keep = edited(lambda body: second.extend(body["articles"]))
    again = edited(lambda body: body.update(articles=second))
    busy = Fault(status=429, headers={"Retry-After": "0"})
    # Pages 1, 4 and 7 are short, page 3 is page 2 once more, and of pages 5 and 6 the server has had enough.
    apis.news_faults.coming = [
        cut_to(40), keep, again, cut_to(0), busy, busy, None, busy, None, cut_to(99), None,
    ]  # fmt: skip
    assert read().rows_loaded == ALL
    # Eight pages, three refusals, and the four pages again.
    assert len(apis.news_faults.requests) == 8 + 3 + 4
    assert query(URLS) == sorted((each["url"],) for each in apis.news.articles)
    check_rows(query, "news", "articles")


def test_pages_that_stay_short_are_not_read_for_ever(read: Run, apis: SampleApis, query: Query) -> None:
    apis.news_faults.always = cut_to(10)
    assert read().rows_loaded == 80
    assert len(apis.news_faults.requests) == 16


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(status=401, body=b'{"status": "error", "code": "apiKeyInvalid", "message": "No."}'),
         "refuses what SLUICE_NEWS_API_KEY says: 401 Unauthorized (apiKeyInvalid: No.)"),
        (Fault(status=426, body=b'{"code": "maximumResultsReached", "message": "Only 100."}'), "maximumResultsReached: Only 100."),
        (edited(lambda body: body.pop("totalResults")), "does not say how many there are (totalResults)"),
        (KINDS["malformed"], "is not JSON"),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_said(
    fault: Fault, words: str, read: Run, apis: SampleApis, query: Query
) -> None:
    apis.news_faults.coming = [None, fault]
    with pytest.raises(ApiError) as caught:
        read()
    assert words in str(caught.value)
    assert query("select count(*) from raw_news.articles") == [(0,)]


def test_a_story_that_is_published_again_is_one_article(read: Run, few: SampleApis, query: Query) -> None:
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


def test_tracking_makes_no_other_url() -> None:
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


def test_the_requests_of_a_day_are_a_budget_that_runs_share(
    read: Run, apis: SampleApis, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_NEWS_REQUESTS_A_DAY", "11")
    apis.news_faults.coming = [Fault(status=500)]
    read()
    assert len(apis.news_faults.requests) == 9
    read()
    read()
    with pytest.raises(ApiError, match="the 11 requests of today .* SLUICE_NEWS_REQUESTS_A_DAY"):
        read()
    assert len(apis.news_faults.requests) == 11
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    monkeypatch.setattr(request_budget, "_today", lambda: tomorrow)
    assert read().status == "skipped"
    assert len(apis.news_faults.requests) == 12


def test_a_limited_load_is_followed_by_a_whole_one(apis: SampleApis, query: Query) -> None:
    assert main(["news", "--limit", "10"]) == 0
    assert query("select count(*) from raw_news.articles") == [(10,)]
    assert query("select count(*) from raw_news.enrichments") == [(10,)]
    assert len(apis.news_faults.requests) == 1
    assert main(["news"]) == 0
    assert query("select count(*) from raw_news.articles") == [(ALL,)]
    assert query(ENRICHED) == [("enriched", ALL)]
    assert query("select reason from raw_news.input_files") == [(None,)]


def test_the_second_run_asks_no_model_and_a_changed_article_makes_one_call(
    apis: SampleApis, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    assert main(["news"]) == 0
    assert asked(apis) == ALL
    assert main(["news"]) == 0
    assert asked(apis) == ALL
    apis.news.publish(apis.news.articles[5], description="Orion Bank regrets it.")
    # The same text under another URL is the same text.
    apis.news.publish({**apis.news.articles[6], "url": "https://news.example.org/copy"})
    # Another mood, the same text.
    apis.news.publish(apis.news.articles[7], author="Somebody else")
    assert main(["news"]) == 0
    assert asked(apis) == ALL + 1
    assert query("select count(*) from raw_news.articles") == [(ALL + 1,)]
    assert query("select count(*), count(distinct content_hash) from raw_news.enrichments") == [
        (ALL + 1, ALL + 1)
    ]
    usage = query(
        "select outcome, count(*), sum(cache_hits), sum(saved_usd) > 0, min(input_tokens) > 0, "
        "sum(cost_usd) = sum((input_tokens * 0.15 + output_tokens * 0.60) / 1000000)::decimal(38, 9) "
        "from raw_news.llm_usage group by all order by all"
    )
    assert usage == [
        ("answered", ALL + 1, 0, False, True, True),
        ("cached", 2, ALL + ALL, True, False, True),
    ]


def test_both_providers_give_rows_of_one_form(
    few: SampleApis, query: Query, judge: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert judge().status == "loaded"
    assert asked(few) == 0
    described = query("describe raw_news.enrichments")
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    assert judge().status == "loaded"
    assert query("describe raw_news.enrichments") == described
    found = query(
        "select provider, count(*), min(sentiment) >= -1, max(sentiment) <= 1, list(distinct topic), "
        "count(summary), bool_and(json_valid(entities)) from raw_news.enrichments group by provider order by 1"
    )
    assert [row[:4] for row in found] == [("local", 12, True, True), ("openai", 12, True, True)]
    for _, _, _, _, topics, summaries, valid in found:
        assert {*topics} <= {*TOPICS}
        assert (summaries, valid) == (12, True)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_no_call_goes_beyond_the_budget_and_the_next_day_goes_on(
    concurrency: int, model: SampleApis, judge: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_CONCURRENCY", str(concurrency))
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_DAY", "0.001")
    # Answers that come late: all threads have a call under way.
    model.model_faults.always = Fault(seconds=0.05)
    result = judge()
    assert result.status == "partial"
    assert "the budget of 0.001 USD a day (SLUICE_ENRICH_BUDGET_DAY) is reached" in result.reason
    assert 0 < result.rows_loaded == asked(model) < 12
    assert 0 < spent(query) <= Decimal("0.001")
    assert query(ENRICHED) == [("enriched", asked(model))]
    # The run's own budget is whole again, the day's is not.
    assert judge().status == "partial"
    assert spent(query) <= Decimal("0.001")

    tomorrow = enriching._midnight() + timedelta(days=1)
    monkeypatch.setattr(enriching, "_midnight", lambda: tomorrow)
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_DAY", "1")
    assert judge().status == "loaded"
    assert asked(model) == 12
    assert query(ENRICHED) == [("enriched", 12)]


def test_a_run_ends_partial_at_its_budget(
    model: SampleApis, query: Query, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_RUN", "0")
    assert main(["news"]) == 1
    told = capsys.readouterr().out
    assert (
        "partial   enrichments  enrichments  12 articles wait for the next run: the budget of 0 USD a run"
        in told
    )
    assert asked(model) == 0
    assert query("select count(*) from raw_news.articles") == [(12,)]


@pytest.mark.parametrize(
    ("fault", "reason", "outcome"),
    [
        (says("I would say it is good."), "the answer is none: json_invalid", "malformed"),
        (says('{"sentiment": 2, "topic": "sports", "summary": "A.", "entities": []}'), "sentiment: less_than_equal", "malformed"),
        (says('{"sentiment": 0, "topic": "gossip", "summary": "A.", "entities": []}'), "topic: literal_error", "malformed"),
        (says('{"sentiment": 0, "topic": "sports", "summary": "A."}'), "entities: missing", "malformed"),
        (says('{"sentiment": 0, "topic": "sports", "summary": " ", "entities": []}'), "summary: string_too_short", "malformed"),
        (says(None), "the answer is none", "malformed"),
        (says(None, refusal="I cannot."), "the model refuses", "refused"),
        (edited(lambda body: body.update(choices=[])), "the answer is none", "malformed"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_asked_for_once_more_and_then_marked(
    fault: Fault, reason: str, outcome: str, model: SampleApis, judge: Run, query: Query
) -> None:
    model.model_faults.coming = [fault, None, fault, fault]
    result = judge()
    assert (result.status, result.rows_loaded, result.rows_rejected) == ("partial", 11, 1)
    assert result.reason == "1 articles had no usable answer and stand without"
    assert asked(model) == 14
    assert query(ENRICHED) == [("enriched", 11), ("enrichment_failed", 1)]
    ((said, topic),) = query(
        "select reason, topic from raw_news.enrichments where status = 'enrichment_failed'"
    )
    assert reason in said
    assert topic is None
    calls = dict(query("select outcome, count(*) from raw_news.llm_usage group by 1"))
    assert calls == {"answered": 11, outcome: 3}
    # It is paid for, and not asked again unless somebody wants it.
    assert judge().status == "skipped"
    assert judge(anew=True).rows_loaded == 1
    assert query(ENRICHED) == [("enriched", 12)]


def test_what_passes_changes_nothing(model: SampleApis, judge: Run, query: Query) -> None:
    busy = Fault(status=429, headers={"Retry-After": "0"})
    model.model_faults.coming = [
        busy,
        busy,
        None,
        Fault(status=503),
        None,
        Fault(stall=True),
        None,
        KINDS["cut"],
    ]
    assert judge(timeout=0.5).status == "loaded"
    assert asked(model) == 17
    assert query(ENRICHED) == [("enriched", 12)]
    # A call without an answer may be billed, so that the most that it may cost counts.
    assert query(
        "select outcome, count(*), min(cost_usd) > 0 from raw_news.llm_usage group by all order by all"
    ) == [("answered", 12, True), ("http 429", 2, False), ("http 503", 1, False), ("unanswered", 2, True)]


def test_an_article_without_an_answer_waits_for_the_next_run(
    model: SampleApis, judge: Run, query: Query
) -> None:
    model.model_faults.coming = [None, *[Fault(stall=True)] * TRIES]
    result = judge(timeout=0.3)
    assert (result.status, result.rows_loaded) == ("partial", 11)
    assert result.reason == "1 articles wait for the next run: 1 times there was no answer"
    assert query(ENRICHED) == [("enriched", 11)]
    assert judge().rows_loaded == 1
    assert query(ENRICHED) == [("enriched", 12)]


@pytest.mark.parametrize(
    ("always", "calls", "words"),
    [
        (Fault(status=401), 1, "the model's API answered 401 Unauthorized; see SLUICE_OPENAI_API_URL"),
        (Fault(status=404), 1, "the model's API answered 404 Not Found"),
        (Fault(status=429, body=b'{"error": {"code": "insufficient_quota"}}'), 1, "the model's API answered 429 Too Many Requests"),
        (Fault(status=500), 5 * TRIES, "the model does not answer: 3 tries without progress"),
    ],
)  # fmt: skip
def test_a_model_that_is_not_there_is_not_asked_for_every_article(
    always: Fault, calls: int, words: str, model: SampleApis, judge: Run, query: Query
) -> None:
    model.model_faults.always = always
    result = judge()
    assert result.status == "partial"
    assert f"12 articles wait for the next run: {words}" in result.reason
    assert asked(model) == calls
    assert spent(query) == 0
    model.model_faults.always = None
    assert judge().status == "loaded"


def test_another_prompt_judges_again_on_request_only(
    model: SampleApis, judge: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge()
    monkeypatch.setattr("ingestion.enrich.openai_provider.OpenAiProvider.prompt_version", "2")
    assert judge().status == "skipped"
    assert asked(model) == 12
    assert judge(anew=True, limit=5).rows_loaded == 5
    assert judge(anew=True).rows_loaded == 7
    assert asked(model) == 24
    assert judge(anew=True).status == "skipped"
    versions = query("select prompt_version, count(*) from raw_news.enrichments group by 1 order by 1")
    assert versions == [("1", 12), ("2", 12)]


@pytest.mark.parametrize(
    ("point", "lost", "unknown"),
    [
        # Killed before the call was sent, or before its answer was noted.
        (("ingestion.enrich.spending:Spending.begin", "after", 5), 0, 1),
        (("ingestion.enrich.spending:Spending.end", "before", 5), 1, 1),
        (("ingestion.enrich.spending:Spending.end", "after", 5), 1, 0),
        (("ingestion.enrich.journal:Journal.note_enrichment", "after", 5), 0, 0),
        ((MERGE, "after", 1), 0, 0),
        (("dlt.load.load:Load.complete_package", "before", 1), 0, 0),
        (("ingestion.enrich.journal:Journal.clear", "before", 2), 0, 0),
    ],
    ids=str,
)
def test_what_was_paid_for_is_not_lost_by_a_kill(
    point: Point, lost: int, unknown: int, model: SampleApis, read: Run, judge: Run, query: Query
) -> None:
    read()
    enrich(ARTICLES, project_settings.load(), limit=1, **QUICK)
    run_to_death(point, project_settings.load(), "news", "--entity", "enrichments")
    assert judge().status in ("loaded", "skipped")
    assert query(ENRICHED) == [("enriched", 12)]
    # Only a call that was under way is made again.
    assert asked(model) == 12 + lost
    outcomes = dict(
        query("select outcome, count(*) from raw_news.llm_usage where outcome <> 'cached' group by 1")
    )
    assert outcomes == {"answered": 12 + lost * (1 - unknown), **({"unknown": 1} if unknown else {})}
    assert query("select count(*) from raw_news.llm_usage where outcome = 'unknown' and cost_usd = 0") == [
        (0,)
    ]
    left = project_settings.load().dlt_dir / "dev_news_enrichments.jsonl"
    assert left.read_text() == ""


def test_the_keys_are_nowhere(
    model: SampleApis, judge: Run, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    judge()
    told = ""
    monkeypatch.setenv("SLUICE_NEWS_API_KEY", f"{NEWS_KEY}-wrong")
    monkeypatch.setenv("SLUICE_OPENAI_API_KEY", f"{MODEL_KEY}-wrong")
    # Both servers say the key that they do not know.
    with pytest.raises(ApiError) as caught:
        judge()
    told += "".join(traceback.format_exception(caught.value))
    assert "Your API key *** is not it" in told
    result = enrich(ARTICLES, project_settings.load(), anew=True, **QUICK)
    model.news.publish(model.news.articles[0], title="New")
    monkeypatch.setenv("SLUICE_NEWS_API_KEY", NEWS_KEY)
    result = judge()
    assert "401" in result.reason
    assert main(["news"]) == 1
    told += repr(result) + repr(project_settings.load()) + caplog.text + "".join(capfd.readouterr())
    assert {request.headers["x-api-key"] for request in model.news_faults.requests} >= {NEWS_KEY}
    assert any(MODEL_KEY in request.headers["authorization"] for request in model.model_faults.requests)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert settings.warehouse in files
    for key in (NEWS_KEY, MODEL_KEY):
        assert key not in told
        assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_settings_that_cannot_be_used_are_named(
    model: SampleApis, judge: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_MODEL", "gpt-unknown")
    with pytest.raises(
        SettingsError, match="gpt-unknown, and llm_prices.csv has no price of it; it has gpt-4o"
    ):
        judge()
    assert main(["news"]) == 2
    monkeypatch.delenv("SLUICE_ENRICH_MODEL")
    monkeypatch.delenv("SLUICE_OPENAI_API_KEY")
    with pytest.raises(SettingsError, match="SLUICE_OPENAI_API_KEY is not set"):
        judge()
    for variable, text in {
        "SLUICE_ENRICH_PROVIDER": "oracle",
        "SLUICE_ENRICH_BUDGET_RUN": "-1",
        "SLUICE_ENRICH_CONCURRENCY": "0",
        "SLUICE_NEWS_REQUESTS_A_DAY": "many",
    }.items():
        monkeypatch.setenv(variable, text)
        with pytest.raises(SettingsError, match=variable):
            project_settings.load()
        monkeypatch.delenv(variable)


def test_the_local_rules_see_mood_topic_and_names() -> None:
    provider = LocalProvider()
    good, bad = (
        provider.judge(Article("", f"Orion Bank {verb}", text, ""))
        for verb, text in (
            ("celebrates", "A wonderful success for its shares. More at noon."),
            ("regrets", "A terrible loss for the climate and the forest. More at noon."),
        )
    )
    assert good.sentiment > 0.5 > -0.5 > bad.sentiment
    assert (good.topic, bad.topic) == ("business", "environment")
    assert good.summary == "A wonderful success for its shares."
    assert good.entities == ["Orion Bank"]
    topics = Counter(provider.judge(as_article(number)).topic for number in range(1, 100))
    assert len(topics) == 6
    for text in ("x", "\x00", "é" * 5000, "A. B. " * 500, "AB " * 900):
        assert isinstance(provider.judge(Article("", "", text, "")), Judgement)


def as_article(number: int) -> Article:
    made = article(number)
    return Article("", made["title"], made["description"], made["content"])


def test_a_price_is_dollars_a_million_tokens() -> None:
    assert price_of("gpt-4o-mini").of(1_000_000, 500_000) == Decimal("0.45")


def test_the_outlook_says_what_waits_and_whether_few_articles_came(
    read: Run, apis: SampleApis, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.waiting, found.articles, found.usual, found.is_low) == (ALL, 24, 24.0, False)
    enrich(ARTICLES, project_settings.load())
    assert outlook(ARTICLES, project_settings.load()).waiting == 0
    # The next day has half of the usual number, then one more.
    for number in range(1, 12):
        apis.news.publish(article(ALL + number), publishedAt=f"2024-04-01T{number:02}:00:00Z")
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.waiting, found.articles, found.usual, found.is_low) == (11, 11, 24.0, True)
    apis.news.publish(article(ALL + 12), publishedAt="2024-04-01T12:00:00Z")
    read()
    assert not outlook(ARTICLES, project_settings.load()).is_low


def test_few_days_of_articles_say_nothing_of_the_usual(read: Run, few: SampleApis) -> None:
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.articles, found.usual, found.is_low) == (12, None, False)


def test_an_outlook_on_nothing_is_no_alert(read: Run, apis: SampleApis) -> None:
    apis.news.articles = []
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.waiting, found.latest_day, found.is_low) == (0, None, False)
