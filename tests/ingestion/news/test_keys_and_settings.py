"""Keys are in no file, and settings that cannot be used are named."""

import logging
import traceback
from pathlib import Path

import pytest

import settings as project_settings
from cli.main import main
from ingestion.api.client import ApiError
from ingestion.enrich.enrich import enrich
from ingestion.enrich.settings import OpenAiSettings
from ingestion.sources.news import ARTICLES, NewsSettings
from samples.apis.server import SampleApis
from samples.apis.variables import MODEL_KEY, NEWS_KEY
from settings import Settings, SettingsError
from tests.ingestion.news.asking import QUICK, Run


def test_the_keys_are_nowhere(
    model: SampleApis, judge: Run, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    judge()
    told = ""
    monkeypatch.setenv("SLUICE_NEWS_API_KEY", f"{NEWS_KEY}-wrong")
    monkeypatch.setenv("SLUICE_OPENAI_API_KEY", f"{MODEL_KEY}-wrong")
    # Both servers say the key that they do not know.
    with pytest.raises(ApiError) as caught:
        judge()
    told += "".join(traceback.format_exception(caught.value))
    assert "Your API key *** is not it" in told
    result = enrich(ARTICLES, project_settings.load(), anew=True, **QUICK)
    model.news.publish(model.news.articles[0], title="New")
    monkeypatch.setenv("SLUICE_NEWS_API_KEY", NEWS_KEY)
    result = judge()
    assert "401" in result.reason
    assert main(["load", "news"]) == 1
    told += (
        repr(result)
        + repr(NewsSettings())
        + repr(OpenAiSettings())
        + caplog.text
        + "".join(capfd.readouterr())
    )
    assert {request.headers["x-api-key"] for request in model.news_faults.requests} >= {NEWS_KEY}
    assert any(MODEL_KEY in request.headers["authorization"] for request in model.model_faults.requests)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert settings.warehouse in files
    for key in (NEWS_KEY, MODEL_KEY):
        assert key not in told
        assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_settings_that_cannot_be_used_are_named(
    model: SampleApis, judge: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_MODEL", "gpt-unknown")
    with pytest.raises(
        SettingsError, match="gpt-unknown, and llm_prices.csv has no price of it; it has gpt-4o"
    ):
        judge()
    assert main(["load", "news"]) == 2
    monkeypatch.delenv("SLUICE_ENRICH_MODEL")
    monkeypatch.delenv("SLUICE_OPENAI_API_KEY")
    with pytest.raises(SettingsError, match="SLUICE_OPENAI_API_KEY is not set"):
        judge()
    for variable, text in {
        "SLUICE_ENRICH_PROVIDER": "oracle",
        "SLUICE_ENRICH_BUDGET_RUN": "-1",
        "SLUICE_ENRICH_CONCURRENCY": "0",
        "SLUICE_NEWS_REQUESTS_PER_DAY": "many",
    }.items():
        monkeypatch.setenv(variable, text)
        with pytest.raises(SettingsError, match=variable):
            judge()
        monkeypatch.delenv(variable)
