"""News: each article of the sample API once in the marts, enriched; invalid ones in quarantine; costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

import settings as project_settings
from ingestion.load import load_domain
from samples.apis.news import article
from samples.apis.server import SampleApis, serving
from samples.apis.variables import variables
from tests.dbt_project.built import Built
from tests.parsed import Parsed
from transformation.dbt import DbtError

pytestmark = pytest.mark.slow

ROW_COUNTS = "select rows_read, rows_clean, rows_quarantined, rows_superseded, rows_rejected from marts.audit_news__row_counts"


@contextmanager
def served() -> Iterator[tuple[SampleApis, pytest.MonkeyPatch]]:
    """Serve the sample APIs with 200 articles, and set the variables by which the settings find them."""
    apis = SampleApis(articles=200)
    with serving(apis) as base, pytest.MonkeyPatch.context() as patch:
        for name, value in variables(base).items():
            patch.setenv(name, value)
        patch.setenv("NO_PROXY", "*")
        patch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
        yield apis, patch


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> Built:
    """Load and build the articles once."""
    with served() as (_, patch):
        built = Built("news", tmp_path_factory.mktemp("news"), project)
        patch.setenv("SLUICE_DATA_DIR", str(built.settings.data_dir))
        built.settings = project_settings.load()
        built.build()
        return built


@pytest.fixture
def news(first: Built, tmp_path: Path) -> Iterator[tuple[Built, SampleApis, pytest.MonkeyPatch]]:
    """A copy of the built data folder, and sample APIs of its own with the same articles."""
    with served() as (apis, patch):
        built = first.copied_to(tmp_path / "data")
        patch.setenv("SLUICE_DATA_DIR", str(tmp_path / "data"))
        built.settings = project_settings.load()
        yield built, apis, patch


def test_unit_tests_pass(news) -> None:
    news[0].run_unit_tests()


def test_every_article_is_a_fact_with_its_enrichment(news) -> None:
    built, apis, _ = news
    facts = built.query(
        "select url, title, topic, sentiment, enrichment_status from marts.fct_articles order by url"
    )
    assert [row[:2] for row in facts] == sorted((each["url"], each["title"]) for each in apis.news.articles)
    for url, _, topic, sentiment, status in facts:
        assert url.split("/")[3] == topic
        assert (float(sentiment) in (0.8, -0.7, 0), status) == (True, "enriched")
    assert built.query(ROW_COUNTS) == [(200, 200, 0, 0, 0)]
    assert built.query("select count(*) from marts.dim_news_sources") == [(5,)]
    assert built.query(
        "select sum(articles), sum(articles_with_sentiment) from marts.agg_sentiment_by_topic_day"
    ) == [(200, 200)]
    costs = (
        "select calls, calls_without_use, cache_hits, cost_usd > 0, saved_usd from marts.agg_llm_cost_by_day"
    )
    assert built.query(costs) == [(200, 0, 0, True, 0)]


def test_invalid_articles_stay_in_quarantine_when_others_arrive(news) -> None:
    built, apis, _ = news
    apis.news.publish(article(201), title=" ", source={"id": None, "name": None})
    apis.news.publish({**article(202), "source": "The Herald"})
    apis.news.articles.append({"title": "no URL", "publishedAt": "2024-03-31T22:30:00Z"})
    built.build()
    found = built.query("select _failed_rules from clean.quarantine_news__articles order by all")
    assert found == [("source_is_present",), ("title_is_present,source_is_present",)]
    assert built.query(ROW_COUNTS) == [(203, 200, 2, 0, 1)]
    apis.news.publish(article(203))
    built.build()
    # Later loads of the API do not supersede them.
    assert built.query(ROW_COUNTS) == [(204, 201, 2, 0, 1)]
    apis.news.publish(article(202))
    built.build()
    assert built.query(ROW_COUNTS) == [(204, 202, 1, 0, 1)]
    costs = built.query("select calls, cache_hits > 500, saved_usd > 0 from marts.agg_llm_cost_by_day")
    # Article 202 changed its source, not its text.
    assert costs == [(203, True, True)]


def test_a_story_behind_several_addresses_of_a_page_is_one_article(news) -> None:
    built, apis, _ = news
    for session, story in enumerate((301, 301, 302, 303, 303)):
        url = f"https://consent.example/v2/collect?sessionId=1_{session}"
        apis.news.publish({**article(story), "url": url})
    # Without a text nobody knows whether they are one story.
    for number in range(2):
        empty = {"description": None, "content": " "}
        apis.news.publish({**article(304), "url": f"https://consent.example/v2/collect?id={number}", **empty})
    # The same text of two publishers is two articles, and so is that of two pages.
    other = {"source": {"id": None, "name": "Other"}}
    apis.news.publish({**article(305), **other, "url": "https://a.example/305?id=1"})
    apis.news.publish({**article(305), "url": "https://a.example/305?id=2"})
    apis.news.publish({**article(305), "url": "https://b.example/305"})
    gone = {"title": "[Removed]", "url": "https://removed.com", "publishedAt": "2024-03-31T22:30:00Z"}
    removed = {**article(306), **gone}
    apis.news.articles += [removed] * 2
    built.build()
    assert built.query(ROW_COUNTS) == [(200 + 5 + 2 + 3 + 2, 200 + 3 + 2 + 3, 0, 2, 2)]
    consent = "select right(url, 1) from marts.fct_articles where url like '%sessionId%' order by all"
    assert built.query(consent) == [("1",), ("2",), ("4",)]


def test_articles_without_enrichment_are_facts(news) -> None:
    built, apis, patch = news
    patch.setenv("SLUICE_ENRICH_BUDGET_RUN", "0")
    built.settings = project_settings.load()
    apis.news.publish(article(300))
    summary = load_domain("news", built.settings)
    assert summary.partial
    assert not summary.failed
    built.build()
    statuses = built.query(
        "select enrichment_status, count(*), count(topic) from marts.fct_articles group by all order by 2"
    )
    assert statuses == [("not_enriched", 1, 0), ("enriched", 200, 200)]


def test_missing_fact_fails_the_build(news) -> None:
    built, _, _ = news
    with duckdb.connect(str(built.settings.warehouse)) as connection:
        connection.execute("delete from raw_news.articles where title like '%(7)'")
    with pytest.raises(DbtError, match="row_reconciliation_audit_news"):
        built.run_dbt()
