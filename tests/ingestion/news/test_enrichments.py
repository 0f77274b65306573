"""Enrichments by models: requested once, checked, and kept."""

from collections import Counter

import pytest

from cli.main import main
from ingestion.enrich.rule_based import RuleBasedProvider
from ingestion.enrich.schema import TOPICS, Article, Enrichment
from samples.apis.faults import KINDS, Fault, edited
from samples.apis.model import says
from samples.apis.news import article
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query
from tests.ingestion.news.model_calls import ALL, ATTEMPTS, ENRICHED, Run, calls_of_model, spent


def test_each_text_is_sent_to_the_model_once(
    apis: SampleApis, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    assert main(["load", "news"]) == 0
    assert calls_of_model(apis) == ALL
    assert main(["load", "news"]) == 0
    assert calls_of_model(apis) == ALL
    apis.news.publish(apis.news.articles[5], description="Orion Bank regrets it.")
    # The same text under another URL is the same text.
    apis.news.publish({**apis.news.articles[6], "url": "https://news.example.org/copy"})
    # Another author, the same text.
    apis.news.publish(apis.news.articles[7], author="Somebody else")
    assert main(["load", "news"]) == 0
    assert calls_of_model(apis) == ALL + 1
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
        ("cached", 2, ALL + ALL, True, False, True),
        ("succeeded", ALL + 1, 0, False, True, True),
    ]


def test_both_providers_write_the_same_columns(
    few: SampleApis, query: Query, enrich_news: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert enrich_news().status == "loaded"
    assert calls_of_model(few) == 0
    described = query("describe raw_news.enrichments")
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    assert enrich_news().status == "loaded"
    assert query("describe raw_news.enrichments") == described
    found = query(
        "select provider, count(*), min(sentiment) >= -1, max(sentiment) <= 1, list(distinct topic), "
        "count(summary), bool_and(json_valid(entities)) from raw_news.enrichments group by provider order by 1"
    )
    assert [row[:4] for row in found] == [("local", 12, True, True), ("openai", 12, True, True)]
    for _, _, _, _, topics, summaries, valid in found:
        assert {*topics} <= {*TOPICS}
        assert (summaries, valid) == (12, True)


# Responses of a model, and the recorded reasons.
INVALID_RESPONSES = [
    (says("I would say it is good."), "invalid response: json_invalid"),
    (says('{"sentiment": 2, "topic": "sports", "summary": "A.", "entities": []}'), "invalid response: sentiment: less_than_equal"),
    (says('{"sentiment": 0, "topic": "gossip", "summary": "A.", "entities": []}'), "invalid response: topic: literal_error"),
    (says('{"sentiment": 0, "topic": "sports", "summary": "A."}'), "invalid response: entities: missing"),
    (says('{"sentiment": 0, "topic": "sports", "summary": " ", "entities": []}'), "invalid response: summary: string_too_short"),
    (says(None), "invalid response: json_type"),
    (says(None, refusal="I cannot."), "the model refuses"),
    (edited(lambda body: body.update(choices=[])), "invalid response: IndexError"),
]  # fmt: skip


def test_invalid_responses_are_requested_once_more_and_then_recorded(
    model: SampleApis, enrich_news: Run, query: Query
) -> None:
    bad = len(INVALID_RESPONSES)
    model.model_faults.coming = [fault for fault, _ in INVALID_RESPONSES for _ in range(2)]
    result = enrich_news()
    assert (result.status, result.rows_loaded, result.rows_rejected) == ("partial", 12 - bad, bad)
    assert result.reason == f"{bad} articles could not be enriched"
    assert calls_of_model(model) == 12 + bad
    assert query(ENRICHED) == [("enriched", 12 - bad), ("enrichment_failed", bad)]
    failed = query("select reason, topic from raw_news.enrichments where status = 'enrichment_failed'")
    assert sorted(why for why, _ in failed) == sorted(reason for _, reason in INVALID_RESPONSES)
    assert {topic for _, topic in failed} == {None}
    calls = dict(query("select outcome, count(*) from raw_news.llm_usage group by 1"))
    assert calls == {"succeeded": 12 - bad, "invalid_response": 2 * (bad - 1), "refused": 2}
    # They are paid for, and requested again only with `refresh`; then the second response to each is valid.
    assert enrich_news().status == "skipped"
    model.model_faults.coming = [each for fault, _ in INVALID_RESPONSES for each in (fault, None)]
    assert enrich_news(refresh=True).rows_loaded == bad
    assert calls_of_model(model) == 12 + 3 * bad
    assert query(ENRICHED) == [("enriched", 12)]


def test_temporary_failures_are_retried(model: SampleApis, enrich_news: Run, query: Query) -> None:
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
    assert enrich_news(timeout=0.5).status == "loaded"
    assert calls_of_model(model) == 17
    assert query(ENRICHED) == [("enriched", 12)]
    # A call without a response may be billed, so its maximum cost counts.
    assert query(
        "select outcome, count(*), min(cost_usd) > 0 from raw_news.llm_usage group by all order by all"
    ) == [("http 429", 2, False), ("http 503", 1, False), ("no_response", 2, True), ("succeeded", 12, True)]


def test_article_without_a_response_waits_for_the_next_run(
    model: SampleApis, enrich_news: Run, query: Query
) -> None:
    model.model_faults.coming = [None, *[Fault(stall=True)] * ATTEMPTS]
    result = enrich_news(timeout=0.3)
    assert (result.status, result.rows_loaded) == ("partial", 11)
    assert result.reason == "1 articles left for the next run: 1 calls without a response"
    assert query(ENRICHED) == [("enriched", 11)]
    assert enrich_news().rows_loaded == 1
    assert query(ENRICHED) == [("enriched", 12)]


@pytest.mark.parametrize(
    ("always", "calls", "words"),
    [
        (Fault(status=401), 1, "the model API responded HTTP 401 Unauthorized; check SLUICE_OPENAI_API_URL"),
        (Fault(status=404), 1, "the model API responded HTTP 404 Not Found"),
        (Fault(status=429, body=b'{"error": {"code": "insufficient_quota"}}'), 1, "the model API responded HTTP 429 Too Many Requests"),
        (Fault(status=400), 5, "the model API responded HTTP 400 Bad Request for each of the first 5 articles"),
        (Fault(status=500), 5 * ATTEMPTS, "the model does not respond: gave up after 3 attempts"),
    ],
)  # fmt: skip
def test_unavailable_model_is_not_called_for_every_article(
    always: Fault, calls: int, words: str, model: SampleApis, enrich_news: Run, query: Query
) -> None:
    model.model_faults.always = always
    result = enrich_news()
    assert result.status == "partial"
    assert f"12 articles left for the next run: {words}" in result.reason
    assert calls_of_model(model) == calls
    assert spent(query) == 0
    model.model_faults.always = None
    assert enrich_news().status == "loaded"


FILTERED = Fault(status=400, body=b'{"error": {"code": "content_filter", "message": "Flagged."}}')
REFUSED = Fault(status=400, body=b'{"error": {"code": null, "message": "Flagged."}}')


@pytest.mark.parametrize("fault", [FILTERED, REFUSED])
def test_rejected_article_is_recorded_and_others_are_enriched(
    fault: Fault, model: SampleApis, enrich_news: Run, query: Query
) -> None:
    model.model_faults.coming = [fault, fault, None, fault]
    result = enrich_news()
    assert (result.status, result.rows_loaded, result.rows_rejected) == ("partial", 9, 3)
    assert result.reason == "3 articles could not be enriched"
    assert calls_of_model(model) == 12
    assert query("select distinct left(reason, 44) from raw_news.enrichments where status <> 'enriched'") == [
        ("the model API responded HTTP 400 Bad Request",)
    ]
    assert enrich_news().status == "skipped"


def test_rejected_article_alone_waits_for_the_next_run(
    model: SampleApis, enrich_news: Run, query: Query
) -> None:
    model.model_faults.coming = [REFUSED]
    result = enrich_news(limit=1)
    assert (result.status, result.rows_rejected) == ("partial", 0)
    assert (
        "1 articles left for the next run: the model API responded HTTP 400 Bad Request, and no other article"
        in result.reason
    )
    assert enrich_news().status == "loaded"
    assert query(ENRICHED) == [("enriched", 12)]


def test_another_prompt_enriches_again_only_with_refresh(
    model: SampleApis, enrich_news: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrich_news()
    monkeypatch.setattr("ingestion.enrich.openai_provider.OpenAiProvider.prompt_version", "2")
    assert enrich_news().status == "skipped"
    assert calls_of_model(model) == 12
    assert enrich_news(refresh=True, limit=5).rows_loaded == 5
    assert enrich_news(refresh=True).rows_loaded == 7
    assert calls_of_model(model) == 24
    assert enrich_news(refresh=True).status == "skipped"
    versions = query("select prompt_version, count(*) from raw_news.enrichments group by 1 order by 1")
    assert versions == [("1", 12), ("2", 12)]


def test_local_rules_find_sentiment_topic_and_entities() -> None:
    provider = RuleBasedProvider()
    good, bad = (
        provider.enrich(Article("", f"Orion Bank {verb}", text, ""))
        for verb, text in (
            ("celebrates", "A wonderful success for its shares. More at noon."),
            ("regrets", "A terrible loss for the climate and the forest. More at noon."),
        )
    )
    assert good.sentiment > 0.5 > -0.5 > bad.sentiment
    assert (good.topic, bad.topic) == ("business", "environment")
    assert good.summary == "A wonderful success for its shares."
    assert good.entities == ["Orion Bank"]
    topics = Counter(provider.enrich(as_article(number)).topic for number in range(1, 100))
    assert len(topics) == 6
    for text in ("x", "\x00", "é" * 5000, "A. B. " * 500, "AB " * 900):
        assert isinstance(provider.enrich(Article("", "", text, "")), Enrichment)


def as_article(number: int) -> Article:
    made = article(number)
    return Article("", made["title"], made["description"], made["content"])


def test_the_size_of_a_response_is_limited(
    model: SampleApis, enrich_news: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SLUICE_API_MAX_RESPONSE_MB", "1")
    model.model_faults.coming = [Fault(body=b" " * 2_000_000)]
    assert enrich_news().status == "loaded"
    assert "response of more than 1 MB (SLUICE_API_MAX_RESPONSE_MB)" in caplog.text
    assert calls_of_model(model) == 13
