"""The page of the news, which no other test has data for: its numbers on a few published days."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from settings import Settings
from tests.parsed import Parsed

PUBLISHED = """
create schema marts;
create table marts.agg_sentiment_by_topic_day as
from (values
    (date '2024-03-01', 'health', 4, 3, 2, 0, 0.5), (date '2024-03-02', 'health', 1, 1, 0, 1, -0.5),
    (date '2024-03-02', 'sports', 5, 0, 0, 0, null)
) as days(published_on, topic, articles, articles_with_sentiment, positive_articles, negative_articles, average_sentiment);
create table marts.agg_llm_cost_by_day as
from (values
    (date '2024-03-01', 'openai', 'small', 10, 1, 900, 100, 0.0123, 2, 0.002),
    (date '2024-03-02', 'openai', 'small', 5, 0, 450, 50, 0.01, 0, 0.0)
) as days(called_on, provider, model, calls, calls_without_use, input_tokens, output_tokens, cost_usd, cache_hits, saved_usd);
create table marts.dim_news_sources as select 1 as source_key, 'Globe Wire' as source_name;
create table marts.fct_articles as
select 'a' as article_id, 1 as source_key, timestamp '2024-03-01 10:00' as published_at, date '2024-03-01' as published_on,
    'Rain' as title, 'health' as topic, 0.5 as sentiment, 'It rains.' as summary, 'enriched' as enrichment_status,
    'small' as model, 'https://globe.example/rain' as url;
"""


def news() -> None:
    from dashboard.views.news import show

    show()


def test_the_page_of_the_news_shows_its_metrics(
    tmp_path: Path,
    project: Parsed,
    monkeypatch: pytest.MonkeyPatch,
    page_in_process: Callable[[Callable[[], None]], AppTest],
) -> None:
    settings = project.put(Settings(data_dir=tmp_path, env="dev"))
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path))
    settings.published("news").parent.mkdir(parents=True)
    with duckdb.connect(str(settings.published("news"))) as connection:
        connection.execute(PUBLISHED)
    page = page_in_process(news).run()
    assert not page.exception
    assert not page.info
    assert {card.label: card.value for card in page.metric} == {
        "Articles": "10",
        "Enriched": "40.0%",
        # Weighted by articles: (3 * 0.5 - 0.5) / 4.
        "Average sentiment": "+0.25",
        "Model cost": "$ 0.0223",
        "Saved by the cache": "$ 0.0020",
    }
    page.multiselect(key="topics").set_value(["sports"]).run()
    assert page.metric[0].value == "5"
    assert page.metric[1].value == "0.0%"
    assert page.metric[2].value == "–"
