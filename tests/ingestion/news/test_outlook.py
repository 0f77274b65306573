"""What waits before a run, and whether few articles came."""

import pytest

import settings as project_settings
from ingestion.enrich.enrich import enrich
from ingestion.enrich.volume_check import outlook
from ingestion.sources.news import ARTICLES
from samples.apis.news import article
from samples.apis.server import SampleApis
from tests.ingestion.news.asking import ALL, Run


def test_the_outlook_says_what_waits_and_whether_few_articles_came(
    read: Run, apis: SampleApis, monkeypatch: pytest.MonkeyPatch
) -> None:
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.waiting, found.articles, found.usual, found.is_low) == (ALL, 24, 24.0, False)
    assert str(found) == "24 articles on 2024-03-30, 24.0 a day in the week before"
    enrich(ARTICLES, project_settings.load())
    assert outlook(ARTICLES, project_settings.load()).waiting == 0
    # The next day has less than half of the usual number, then half of it.
    for number in range(1, 12):
        apis.news.publish(article(ALL + number), publishedAt=f"2024-04-01T{number:02}:00:00Z")
    read()
    # It may not be over yet.
    found = outlook(ARTICLES, project_settings.load())
    assert (str(found.latest_day), found.articles, found.is_low) == ("2024-03-31", 24, False)
    apis.news.publish(article(ALL + 12), publishedAt="2024-04-02T00:00:00Z")
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.waiting, found.articles, found.usual, found.is_low) == (12, 11, 24.0, True)
    apis.news.publish(article(ALL + 13), publishedAt="2024-04-01T12:00:00Z")
    read()
    assert not outlook(ARTICLES, project_settings.load()).is_low


def test_few_days_of_articles_say_nothing_of_the_usual(read: Run, few: SampleApis) -> None:
    few.news.publish(article(ALL), publishedAt="2024-04-01T00:00:00Z")
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.articles, found.usual, found.is_low) == (12, None, False)
    assert str(found) == "12 articles on 2024-03-31, there are not seven days before it"


def test_an_outlook_on_nothing_is_no_alert(read: Run, apis: SampleApis) -> None:
    apis.news.articles = []
    read()
    found = outlook(ARTICLES, project_settings.load())
    assert (found.waiting, found.latest_day, found.is_low) == (0, None, False)
    assert str(found) == "there is no whole day of articles yet"
