"""The catalogue of a shop: the products of its REST API, by the time of their last change.

`GET <SLUICE_PRODUCTS_API_URL>/products?updated_since=…&page=…&page_size=…` answers with `{"items": […]}`, in the
order of `updated_at`, and from `updated_since` (inclusive) on. The token goes into the header `Authorization`.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ingestion.api.api_resource import ApiResource
from ingestion.api.settings import ApiSecret, ApiSettings
from settings import Settings

PAGE_SIZE = 100


class ProductsSettings(ApiSettings):
    """Address and bearer token of the API."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_PRODUCTS_")

    api_key: ApiSecret | None = Field(None, validation_alias="SLUICE_PRODUCTS_API_TOKEN")


def read_products(settings: Settings, since: str | None, **patience: float) -> Iterator[list[Any]]:
    """Yield pages of the products changed since a time, in the order of their changes."""
    # Imported only where an API is read, because the import of dlt's REST client is slow.
    from dlt.sources.helpers.rest_client.auth import BearerTokenAuth

    from ingestion.api.client import ApiClient
    from ingestion.api.updated_since_paginator import UpdatedSincePaginator

    api = ProductsSettings()
    client = ApiClient(api, BearerTokenAuth(api.secret) if api.secret else None, "items", **patience)
    paginator = UpdatedSincePaginator(client, PRODUCTS.cursor, since, PAGE_SIZE)
    yield from client.paginate("products", paginator=paginator, hooks={"response": []})


PRODUCTS = ApiResource(
    domain="sales",
    entity="products",
    settings=ProductsSettings,
    columns=("id", "name", "price", "category", "updated_at"),
    identify=lambda row: row.get("id"),
    read=read_products,
    cursor="updated_at",
    is_optional=True,
)

RESOURCES = (PRODUCTS,)
