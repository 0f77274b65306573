"""Loads of articles and their enrichments from the sample servers."""

from dataclasses import replace
from typing import Any

import pytest

import settings as project_settings
from ingestion.api.load_api import load_api
from ingestion.enrich.enrich import enrich
from ingestion.results import LoadResult
from ingestion.sources.news import ARTICLES, ENRICHMENTS
from samples.apis.server import SampleApis
from tests.ingestion.news.model_calls import QUICK, Run


@pytest.fixture
def read(apis: SampleApis) -> Run:
    """Load the articles with quick retries."""
    return lambda: load_api(ARTICLES, project_settings.load(), policy=QUICK)


@pytest.fixture
def few(apis: SampleApis) -> SampleApis:
    """The sample APIs with twelve articles."""
    apis.news.articles = apis.news.articles[:12]
    return apis


@pytest.fixture
def model(few: SampleApis, monkeypatch: pytest.MonkeyPatch) -> SampleApis:
    """Twelve articles, and a model that enriches them, one after another."""
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    monkeypatch.setenv("SLUICE_ENRICH_CONCURRENCY", "1")
    return few


@pytest.fixture
def enrich_news(read: Run) -> Run:
    """Load the articles and enrich them with quick retries."""

    def run(timeout: float = QUICK.timeout, **options: Any) -> LoadResult:
        read()
        policy = replace(QUICK, timeout=timeout)
        return enrich(ENRICHMENTS, project_settings.load(), policy=policy, **options)

    return run
