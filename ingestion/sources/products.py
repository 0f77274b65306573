"""The catalogue of a shop: the products of its REST API, by the time of their last change.

`GET <SLUICE_PRODUCTS_API_URL>/products?updated_since=…&page=…&page_size=…` returns `{"items": […]}`, in the order of
`updated_at`, from `updated_since` (inclusive) on. The token is sent in the header `Authorization`.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ingestion.api.api_resource import ApiResource
from ingestion.api.errors import Unread
from ingestion.api.settings import ApiSecret, ApiSettings
from ingestion.retry_policy import RetryPolicy
from settings import Settings

PAGE_SIZE = 100


class ProductsSettings(ApiSettings):
    """Address and bearer token of the API."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_PRODUCTS_")

    api_key: ApiSecret | None = Field(default=None, validation_alias="SLUICE_PRODUCTS_API_TOKEN")


def read_products(
    settings: Settings, since: str | None, policy: RetryPolicy, unread: Unread | None = None
) -> Iterator[list[Any]]:
    """Yield pages of the products that changed since a time, in the order of their changes."""
    # Imported here, because dlt's REST client is slow to import.
    from dlt.sources.helpers.rest_client.auth import BearerTokenAuth

    from ingestion.api.client import ApiClient
    from ingestion.api.updated_since_paginator import updated_since_pages

    api = ProductsSettings()
    client = ApiClient(api, BearerTokenAuth(api.secret) if api.secret else None, "items", policy)
    since = unread.since if unread else since
    yield from updated_since_pages(client, "products", PRODUCTS.cursor, since, page_size=PAGE_SIZE)


PRODUCTS = ApiResource(
    domain="sales",
    entity="products",
    settings=ProductsSettings,
    columns={
        "id": "Number of the product.",
        "name": "Name of the product.",
        "price": "Price per piece in the catalogue, in the shop's currency.",
        "category": "Category of the product.",
        "updated_at": "Time (UTC) of the last change.",
    },
    identify=lambda row: row.get("id"),
    read=read_products,
    cursor="updated_at",
    is_optional=True,
)

RESOURCES = (PRODUCTS,)
