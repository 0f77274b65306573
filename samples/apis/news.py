"""A news API that answers as NewsAPI does: 729 articles, whose words show their mood and topic."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Header, Query
from fastapi.responses import JSONResponse

ARTICLES = 729
LATEST = datetime(2024, 3, 31, 23, tzinfo=UTC)
MOST_A_PAGE = 100
SOURCES = {
    "the-daily-ledger": "The Daily Ledger",
    "globe-wire": "Globe Wire",
    "tech-courier": "Tech Courier",
    "city-herald": "City Herald",
    None: "Harbour Notes",
}
TOPICS = {
    "technology": ("software", "Nimbus Labs", "a new chip for data centres"),
    "business": ("markets", "Orion Bank", "its profits for the quarter"),
    "health": ("patients", "Saint Clara Hospital", "a vaccine after long trials"),
    "politics": ("parliament", "President Alma Reyes", "a law on the election"),
    "sports": ("league", "Northport United", "the championship match"),
    "environment": ("climate", "Green Delta", "a report on emissions"),
}
MOODS = {
    "good": ("celebrates", "It is a great success, and everybody is happy about the wonderful result."),
    "bad": ("regrets", "It is a terrible failure, and many fear a sad and painful loss."),
    "neutral": ("presents", "The details are on the agenda of the next meeting."),
}


def article(number: int) -> dict[str, Any]:
    """One article; the same number is the same article."""

    def pick(choices: Any, what: str) -> Any:
        digest = hashlib.sha256(f"{number} {what}".encode()).digest()
        return list(choices)[int.from_bytes(digest[:4], "big") % len(choices)]

    topic, mood, source = pick(TOPICS, "topic"), pick(MOODS, "mood"), pick(SOURCES, "source")
    word, name, matter = TOPICS[topic]
    verb, feeling = MOODS[mood]
    # Some have tracking parameters.
    tracking = f"?utm_source=feed&utm_campaign={number}" if number % 9 == 0 else ""
    return {
        "source": {"id": source, "name": SOURCES[source]},
        "author": None if number % 7 == 0 else f"Reporter {number % 23}",
        "title": f"{name} {verb} {matter} ({number})",
        "description": f"{name} {verb} {matter}, says {SOURCES[source]}. {feeling}",
        "url": f"https://news.example.org/{topic}/{number}{tracking}",
        "urlToImage": None if number % 5 == 0 else f"https://news.example.org/images/{number}.jpg",
        "publishedAt": _written(LATEST - timedelta(hours=number - 1)),
        "content": f"Story {number} about {word}: {name} {verb} {matter}. {feeling}",
    }


class NewsApi:
    """The articles and their API; `app` serves it.

    `most` and `oldest` are what a plan gives: so many articles of one query, from this time on.

    Args:
        key: the key that requests must send.
        articles: how many there are.
    """

    def __init__(self, key: str, articles: int = ARTICLES) -> None:
        self.articles = [article(number) for number in range(1, articles + 1)]
        self._key = key
        self._now = LATEST
        self.most: int | None = None
        self.oldest = ""
        self.app = FastAPI()
        self.app.get("/v2/everything")(self._answer)

    def publish(self, record: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Publish an article now, in place of one with the same URL if there is any; return it."""
        self._now += timedelta(minutes=1)
        self.articles = [each for each in self.articles if each.get("url") != record["url"]]
        self.articles.append({**record, "publishedAt": _written(self._now), **fields})
        return self.articles[-1]

    def _answer(
        self,
        q: str = "",
        since: str = Query(default="", alias="from"),
        until: str = Query(default="~", alias="to"),
        page: int = 1,
        size: int = Query(default=MOST_A_PAGE, alias="pageSize"),
        key: str = Header(default="", alias="X-Api-Key"),
    ) -> JSONResponse:
        if key != self._key:
            code = "apiKeyInvalid" if key else "apiKeyMissing"
            return JSONResponse(
                {"status": "error", "code": code, "message": f"Your API key {key} is not it."}, 401
            )
        if not q:
            return JSONResponse(
                {"status": "error", "code": "parametersMissing", "message": "q is missing."}, 400
            )
        size = min(size, MOST_A_PAGE)
        if since and since < self.oldest:
            return _beyond("parameterInvalid", f"Your plan permits articles as far back as {self.oldest}.")
        if self.most is not None and page * size > self.most:
            return _beyond("maximumResultsReached", f"You are limited to a max of {self.most} results.")
        since = max(since, self.oldest)
        found = [each for each in self.articles if since <= each["publishedAt"].removesuffix("Z") <= until]
        found.sort(key=lambda each: each["publishedAt"], reverse=True)
        shown = found[(page - 1) * size : page * size]
        return JSONResponse({"status": "ok", "totalResults": len(found), "articles": shown})


def _beyond(code: str, message: str) -> JSONResponse:
    """The refusal of what the plan does not give."""
    return JSONResponse({"status": "error", "code": code, "message": message}, 426)


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
