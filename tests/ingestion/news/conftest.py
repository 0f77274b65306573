"""Loads of articles and of their judgements from the sample servers."""

from typing import Any

import pytest

import settings as project_settings
from ingestion.api.load_api import load_api
from ingestion.enrich.enrich import enrich
from ingestion.results import LoadResult
from ingestion.sources.news import ARTICLES
from samples.apis.server import SampleApis
from tests.ingestion.news.asking import QUICK, Run


@pytest.fixture
def read(apis: SampleApis) -> Run:
    """Load the articles, with little patience."""
    return lambda **more: load_api(ARTICLES, project_settings.load(), **(QUICK | more))


@pytest.fixture
def few(apis: SampleApis) -> SampleApis:
    """The sample APIs with twelve articles."""
    apis.news.articles = apis.news.articles[:12]
    return apis


@pytest.fixture
def model(few: SampleApis, monkeypatch: pytest.MonkeyPatch) -> SampleApis:
    """Twelve articles, and a model that is to judge them, one after another."""
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    monkeypatch.setenv("SLUICE_ENRICH_CONCURRENCY", "1")
    return few


@pytest.fixture
def judge(read: Run) -> Run:
    """Load the articles and judge them, with little patience."""

    def run(**more: Any) -> LoadResult:
        read()
        return enrich(ARTICLES, project_settings.load(), **(QUICK | more))

    return run
