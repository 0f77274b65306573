"""News on one subject from NewsAPI (newsapi.org), or an API with the same interface, and their enrichment.

`GET <SLUICE_NEWS_API_URL>/v2/everything?q=…&from=…&to=…&page=…&pageSize=…`, with the key in the header `X-Api-Key`.
The free plan allows 100 requests per day and returns the first 100 articles of a query, of the last month. A story that
is published again, or offered with other tracking parameters, is the same article. The staging model (dbt) also
recognizes one that comes behind several addresses of a page, such as that of a consent.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import PositiveInt
from pydantic_settings import SettingsConfigDict

from ingestion.api.api_resource import ApiResource, Row
from ingestion.api.errors import Unread
from ingestion.api.settings import ApiSettings
from ingestion.api.times import parse_time
from ingestion.enrich.enrichment_resource import EnrichmentResource
from ingestion.retry_policy import RetryPolicy
from settings import Settings

# The largest page that NewsAPI returns.
PAGE_SIZE = 100
TRACKING = ("utm_", "fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "cmpid", "ocid")
REMOVED = "[removed]"
REMOVED_URLS = {"https://removed.com", "https://www.removed.com"}
PORTS = {"http": 80, "https": 443}


class NewsSettings(ApiSettings):
    """Address and key of the API, what to search for, and how often the API may be called per day (UTC)."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_NEWS_")

    query: str = "technology"
    requests_per_day: PositiveInt = 100


def read_articles(
    settings: Settings, since: str | None, policy: RetryPolicy, unread: Unread | None = None
) -> Iterator[list[Any]]:
    """Yield pages of the articles published since a time, the latest first, after those that are unread."""
    # Imported here, because dlt's REST client is slow to import.
    from dlt.sources.helpers.rest_client.auth import APIKeyAuth

    from ingestion.api.client import ApiClient
    from ingestion.api.date_window_paginator import date_window_pages
    from ingestion.api.errors import QuotaExceededError
    from ingestion.api.request_budget import RequestBudget

    api = NewsSettings()
    budget = RequestBudget(settings.dlt_dir, f"{settings.env}_news_requests", api.requests_per_day)

    def take_request() -> None:
        if not budget.take():
            raise QuotaExceededError(
                f"all {api.requests_per_day} requests of today (UTC) are used, see SLUICE_NEWS_REQUESTS_PER_DAY"
            )

    auth = APIKeyAuth(name="X-Api-Key", api_key=api.secret) if api.secret else None
    client = ApiClient(api, auth, "articles", policy, before_attempt=take_request)
    # Articles published during the reading would shift the pages.
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    windows = [Unread(since and since.removesuffix("Z"), now)]
    if unread:
        windows = [unread, Unread(unread.later, now)]
    yield from date_window_pages(
        client,
        "v2/everything",
        {"q": api.query, "sortBy": "publishedAt"},
        windows,
        page_size=PAGE_SIZE,
        time_of=_time_of,
    )


def _time_of(article: Any) -> datetime | None:
    if not isinstance(article, dict) or _is_removed(article.get("title")):
        return None
    return parse_time(article.get("publishedAt"))


def reject_removed(row: Row) -> str | None:
    """Return why an article is none: NewsAPI gives a placeholder for each article that its publisher removed."""
    source = row.get("source") or ""
    try:
        name = json.loads(source)["name"]
    except (ValueError, TypeError, KeyError):
        name = source
    is_placeholder = canonical_url(row.get("url")) in REMOVED_URLS
    if is_placeholder or _is_removed(row.get("title")) or _is_removed(name):
        return "article was removed by its publisher"
    return None


def _is_removed(text: Any) -> bool:
    return isinstance(text, str) and text.strip().casefold() == REMOVED


def canonical_url(url: str | None) -> str | None:
    """Return the URL of an article without tracking parameters and other differences that have no meaning."""
    text = (url or "").strip()
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        return text or None
    if scheme not in PORTS or not host:
        return text or None
    address = host if port in (None, PORTS[scheme]) else f"{host}:{port}"
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not name.lower().startswith(TRACKING)
    ]
    return urlunsplit(("https", address, parts.path.rstrip("/"), urlencode(sorted(query)), ""))


ARTICLES = ApiResource(
    domain="news",
    entity="articles",
    settings=NewsSettings,
    columns={
        "source": "JSON object with id and name of the publisher, or its name.",
        "author": "Author.",
        "title": "Title.",
        "description": "Teaser.",
        "url": "URL, with tracking parameters as delivered.",
        "url_to_image": "URL of an image.",
        "published_at": "Time of publication (UTC).",
        "content": "Beginning of the text.",
    },
    personal=("author",),
    identify=lambda row: canonical_url(row.get("url")),
    read=read_articles,
    cursor="published_at",
    reject=reject_removed,
)

ENRICHMENTS = EnrichmentResource(ARTICLES)

RESOURCES = (ARTICLES, ENRICHMENTS)
