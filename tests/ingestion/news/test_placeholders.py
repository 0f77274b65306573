"""Placeholders for removed articles are counted and not loaded."""

import json

import pytest

from cli.main import main
from settings import Settings
from tests.ingestion.conftest import Query, check_rows
from tests.servers.fake_api import serving

ARTICLE = {
    "source": {"id": None, "name": "Paper"},
    "author": None,
    "title": "Title 1",
    "description": "About 1",
    "url": "https://news.example/1",
    "urlToImage": None,
    "publishedAt": "2024-05-01T10:00:00Z",
    "content": "Text 1",
}
REMOVED = ARTICLE | {
    "source": {"id": None, "name": "[Removed]"},
    "title": "[Removed]",
    "description": "[Removed]",
    "url": "https://removed.com",
    "publishedAt": "1970-01-01T00:00:00Z",
    "content": "[Removed]",
}


@pytest.mark.parametrize(
    "placeholders",
    [
        [REMOVED, REMOVED, REMOVED],
        [REMOVED | {"publishedAt": f"2024-05-01T0{hour}:00:00Z"} for hour in range(3)],
        [
            ARTICLE | {"url": "http://www.removed.com/"},
            ARTICLE | {"url": "https://news.example/2", "title": " [removed] "},
            ARTICLE | {"url": "https://news.example/3", "source": "[REMOVED]"},
        ],
    ],
    ids=["equal", "by time", "parts"],
)
def test_placeholders_are_counted_and_not_loaded(
    placeholders: list[dict],
    settings: Settings,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    articles = [ARTICLE, *placeholders]
    with serving(lambda params: (200, {"totalResults": len(articles), "articles": articles})) as url:
        monkeypatch.setenv("SLUICE_NEWS_API_URL", url)
        monkeypatch.setenv("SLUICE_NEWS_API_KEY", "a-key-of-news")
        assert main(["load", "news", "--json"]) == 0
        (loaded, _) = json.loads(capsys.readouterr().out)["results"]
        assert (loaded["rows_read"], loaded["rows_loaded"], loaded["rows_rejected"]) == (4, 1, 3)
        assert query("select title, source from raw_news.articles") == [
            ("Title 1", json.dumps(ARTICLE["source"]))
        ]
        assert query("select distinct reason from raw_news.rejected_lines") == [
            ("article was removed by its publisher",)
        ]
        assert query("select count(*) from raw_news.enrichments") == [(1,)]
        check_rows(query, "news", "articles")
        assert main(["load", "news"]) == 0
        check_rows(query, "news", "articles")


def test_time_of_a_placeholder_does_not_end_the_reading(
    settings: Settings, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = [
        ARTICLE
        | {"url": f"https://news.example/{number}", "publishedAt": f"2024-05-01T10:{59 - number // 5:02}:00Z"}
        for number in range(250)
    ]
    articles[99] = REMOVED

    def answer(params: dict[str, str]) -> tuple[int, dict]:
        if params["page"] != "1":
            return 426, {"code": "maximumResultsReached", "message": "No more."}
        found = [
            each
            for each in articles
            if each is REMOVED or each["publishedAt"].removesuffix("Z") <= params["to"]
        ]
        return 200, {"totalResults": len(found), "articles": found[:100]}

    with serving(answer) as url:
        monkeypatch.setenv("SLUICE_NEWS_API_URL", url)
        monkeypatch.setenv("SLUICE_NEWS_API_KEY", "a-key-of-news")
        assert main(["load", "news", "--entity", "articles"]) == 0
    assert query("select count(*) from raw_news.articles") == [(249,)]
