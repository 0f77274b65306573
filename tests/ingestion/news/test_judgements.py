"""What models say of articles: asked for once, checked, and kept."""

from collections import Counter

import pytest

from cli.main import main
from ingestion.enrich.rule_based import RuleBasedProvider
from ingestion.enrich.schema import TOPICS, Article, Judgement
from samples.apis.faults import KINDS, Fault, edited
from samples.apis.model import says
from samples.apis.news import article
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query
from tests.ingestion.news.asking import ALL, ENRICHED, TRIES, Run, asked, spent


def test_the_second_run_asks_no_model_and_a_changed_article_makes_one_call(
    apis: SampleApis, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    assert main(["load", "news"]) == 0
    assert asked(apis) == ALL
    assert main(["load", "news"]) == 0
    assert asked(apis) == ALL
    apis.news.publish(apis.news.articles[5], description="Orion Bank regrets it.")
    # The same text under another URL is the same text.
    apis.news.publish({**apis.news.articles[6], "url": "https://news.example.org/copy"})
    # Another mood, the same text.
    apis.news.publish(apis.news.articles[7], author="Somebody else")
    assert main(["load", "news"]) == 0
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


# What a model answers, and what is said of it.
BAD_ANSWERS = [
    (says("I would say it is good."), "the answer is none: json_invalid"),
    (says('{"sentiment": 2, "topic": "sports", "summary": "A.", "entities": []}'), "the answer is none: sentiment: less_than_equal"),
    (says('{"sentiment": 0, "topic": "gossip", "summary": "A.", "entities": []}'), "the answer is none: topic: literal_error"),
    (says('{"sentiment": 0, "topic": "sports", "summary": "A."}'), "the answer is none: entities: missing"),
    (says('{"sentiment": 0, "topic": "sports", "summary": " ", "entities": []}'), "the answer is none: summary: string_too_short"),
    (says(None), "the answer is none: json_type"),
    (says(None, refusal="I cannot."), "the model refuses"),
    (edited(lambda body: body.update(choices=[])), "the answer is none (IndexError)"),
]  # fmt: skip


def test_bad_answers_are_asked_for_once_more_and_then_marked(
    model: SampleApis, judge: Run, query: Query
) -> None:
    bad = len(BAD_ANSWERS)
    model.model_faults.coming = [fault for fault, _ in BAD_ANSWERS for _ in range(2)]
    result = judge()
    assert (result.status, result.rows_loaded, result.rows_rejected) == ("partial", 12 - bad, bad)
    assert result.reason == f"{bad} articles had no usable answer and stand without"
    assert asked(model) == 12 + bad
    assert query(ENRICHED) == [("enriched", 12 - bad), ("enrichment_failed", bad)]
    failed = query("select reason, topic from raw_news.enrichments where status = 'enrichment_failed'")
    assert sorted(why for why, _ in failed) == sorted(reason for _, reason in BAD_ANSWERS)
    assert {topic for _, topic in failed} == {None}
    calls = dict(query("select outcome, count(*) from raw_news.llm_usage group by 1"))
    assert calls == {"answered": 12 - bad, "malformed": 2 * (bad - 1), "refused": 2}
    # They are paid for, and not asked again unless somebody wants it; then the second answer to each is good.
    assert judge().status == "skipped"
    model.model_faults.coming = [each for fault, _ in BAD_ANSWERS for each in (fault, None)]
    assert judge(anew=True).rows_loaded == bad
    assert asked(model) == 12 + 3 * bad
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
        (Fault(status=400), 5, "the model's API answered 400 Bad Request for each of the first 5 articles"),
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


FILTERED = Fault(status=400, body=b'{"error": {"code": "content_filter", "message": "Flagged."}}')
REFUSED = Fault(status=400, body=b'{"error": {"code": null, "message": "Flagged."}}')


@pytest.mark.parametrize("fault", [FILTERED, REFUSED])
def test_an_article_that_the_api_refuses_is_marked_and_the_others_are_judged(
    fault: Fault, model: SampleApis, judge: Run, query: Query
) -> None:
    model.model_faults.coming = [fault, fault, None, fault]
    result = judge()
    assert (result.status, result.rows_loaded, result.rows_rejected) == ("partial", 9, 3)
    assert result.reason == "3 articles had no usable answer and stand without"
    assert asked(model) == 12
    assert query("select distinct left(reason, 40) from raw_news.enrichments where status <> 'enriched'") == [
        ("the model's API answered 400 Bad Request",)
    ]
    assert judge().status == "skipped"


def test_a_refusal_alone_does_not_say_whether_the_article_or_the_request_is_wrong(
    model: SampleApis, judge: Run, query: Query
) -> None:
    model.model_faults.coming = [REFUSED]
    result = judge(limit=1)
    assert (result.status, result.rows_rejected) == ("partial", 0)
    assert (
        "1 articles wait for the next run: the model's API answered 400 Bad Request, and no other"
        in result.reason
    )
    assert judge().status == "loaded"
    assert query(ENRICHED) == [("enriched", 12)]


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


def test_the_local_rules_see_mood_topic_and_names() -> None:
    provider = RuleBasedProvider()
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
