"""The number of waiting texts, and whether few articles were published."""

import pytest

import settings as project_settings
from ingestion.enrich.enrich import count_waiting, enrich
from ingestion.enrich.volume_check import measure_volume
from ingestion.sources.news import ARTICLES, ENRICHMENTS
from samples.apis.news import article
from samples.apis.server import SampleApis
from tests.ingestion.news.model_calls import ALL, Run


def test_half_of_the_usual_articles_is_low(
    read: Run, apis: SampleApis, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    found = measure_volume(ARTICLES, project_settings.load())
    assert (found.articles, found.usual, found.is_low) == (24, 24.0, False)
    assert str(found) == "24 articles on 2024-03-30, 24.0 per day in the week before"
    # The next day has less than half of the usual number, then half of it.
    for number in range(1, 12):
        apis.news.publish(article(ALL + number), publishedAt=f"2024-04-01T{number:02}:00:00Z")
    read()
    # It may not be over yet.
    found = measure_volume(ARTICLES, project_settings.load())
    assert (str(found.latest_day), found.articles, found.is_low) == ("2024-03-31", 24, False)
    apis.news.publish(article(ALL + 12), publishedAt="2024-04-02T00:00:00Z")
    read()
    found = measure_volume(ARTICLES, project_settings.load())
    assert (found.articles, found.usual, found.is_low) == (11, 24.0, True)
    apis.news.publish(article(ALL + 13), publishedAt="2024-04-01T12:00:00Z")
    read()
    assert not measure_volume(ARTICLES, project_settings.load()).is_low


def test_texts_wait_until_they_are_enriched(read: Run, few: SampleApis) -> None:
    read()
    assert count_waiting(ENRICHMENTS, project_settings.load()) == 12
    enrich(ENRICHMENTS, project_settings.load(), limit=5)
    assert count_waiting(ENRICHMENTS, project_settings.load()) == 7


def test_usual_number_needs_seven_days(read: Run, few: SampleApis) -> None:
    few.news.publish(article(ALL), publishedAt="2024-04-01T00:00:00Z")
    read()
    found = measure_volume(ARTICLES, project_settings.load())
    assert (found.articles, found.usual, found.is_low) == (12, None, False)
    assert str(found) == "12 articles on 2024-03-31, less than seven days of articles before it"


def test_no_articles_are_not_low(read: Run, apis: SampleApis) -> None:
    apis.news.articles = []
    read()
    found = measure_volume(ARTICLES, project_settings.load())
    assert (found.latest_day, found.is_low) == (None, False)
    assert str(found) == "no whole day of articles yet"
