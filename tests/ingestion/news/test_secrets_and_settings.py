"""Keys are in no file or message, and invalid settings are named."""

import logging
import traceback
from pathlib import Path

import pytest

import settings as project_settings
from cli.main import main
from ingestion.api.errors import SourceApiError
from ingestion.enrich.enrich import enrich
from ingestion.enrich.settings import OpenAiSettings
from ingestion.sources.news import ENRICHMENTS, NewsSettings
from samples.apis.server import SampleApis
from samples.apis.variables import MODEL_KEY, NEWS_KEY
from settings import Settings, SettingsError
from tests.ingestion.news.model_calls import QUICK, Run


def test_keys_are_in_no_file_or_message(
    model: SampleApis, enrich_news: Run, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    enrich_news()
    messages = ""
    monkeypatch.setenv("SLUICE_NEWS_API_KEY", f"{NEWS_KEY}-wrong")
    monkeypatch.setenv("SLUICE_OPENAI_API_KEY", f"{MODEL_KEY}-wrong")
    # Both servers repeat the key that they do not know.
    with pytest.raises(SourceApiError) as caught:
        enrich_news()
    messages += "".join(traceback.format_exception(caught.value))
    assert "Your API key *** is not it" in messages
    result = enrich(ENRICHMENTS, project_settings.load(), refresh=True, policy=QUICK)
    model.news.publish(model.news.articles[0], title="New")
    monkeypatch.setenv("SLUICE_NEWS_API_KEY", NEWS_KEY)
    result = enrich_news()
    assert "401" in result.reason
    assert main(["load", "news"]) == 1
    messages += (
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
        assert key not in messages
        assert [path for path in files if key.encode() in path.read_bytes()] == []


def test_invalid_settings_are_named(
    model: SampleApis, enrich_news: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_MODEL", "gpt-unknown")
    with pytest.raises(SettingsError, match="llm_prices.csv has no price of gpt-unknown; it has gpt-4o"):
        enrich_news()
    assert main(["load", "news"]) == 2
    monkeypatch.delenv("SLUICE_ENRICH_MODEL")
    monkeypatch.delenv("SLUICE_OPENAI_API_KEY")
    with pytest.raises(SettingsError, match="SLUICE_OPENAI_API_KEY is not set"):
        enrich_news()
    for variable, text in {
        "SLUICE_ENRICH_PROVIDER": "oracle",
        "SLUICE_ENRICH_BUDGET_RUN": "-1",
        "SLUICE_ENRICH_CONCURRENCY": "0",
        "SLUICE_NEWS_REQUESTS_PER_DAY": "many",
    }.items():
        monkeypatch.setenv(variable, text)
        with pytest.raises(SettingsError, match=variable):
            enrich_news()
        monkeypatch.delenv(variable)
