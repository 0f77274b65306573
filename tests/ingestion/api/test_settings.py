"""Settings of APIs: from environment variables, checked, and without a secret in any error."""

import pytest

from ingestion.registry import apis_in_use
from ingestion.sources.products import ProductsSettings
from settings import SettingsError

VARIABLES = ("SLUICE_PRODUCTS_API_URL", "SLUICE_PRODUCTS_API_TOKEN")


def test_address_and_secret_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
    assert (ProductsSettings().api_url, ProductsSettings().secret) == (None, None)
    monkeypatch.setenv("SLUICE_PRODUCTS_API_URL", "https://shop.example.org/api/")
    monkeypatch.setenv("SLUICE_PRODUCTS_API_TOKEN", "s3cret")
    settings = ProductsSettings()
    assert (settings.api_url, settings.secret) == ("https://shop.example.org/api", "s3cret")
    assert (settings.url_variable, settings.key_variable) == VARIABLES
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SLUICE_PRODUCTS_API_URL", "shop.example.org/s3cret"),
        ("SLUICE_PRODUCTS_API_URL", "https://me:s3cret@shop.example.org"),
        ("SLUICE_PRODUCTS_API_URL", "https://shop.example.org/?token=s3cret"),
        ("SLUICE_PRODUCTS_API_TOKEN", "s3cret\n"),
        ("SLUICE_PRODUCTS_API_TOKEN", "s3cret\u00e9"),
    ],
)
def test_invalid_settings_are_named_without_their_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=f"^{variable}: must be") as caught:
        ProductsSettings()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_model_api_is_in_use_only_with_its_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_ENRICH_PROVIDER", raising=False)
    names = {api.url_variable for api in apis_in_use()}
    assert names == {"SLUICE_NEWS_API_URL", "SLUICE_PRODUCTS_API_URL"}
    monkeypatch.setenv("SLUICE_ENRICH_PROVIDER", "openai")
    assert {api.url_variable for api in apis_in_use()} == names | {"SLUICE_OPENAI_API_URL"}
