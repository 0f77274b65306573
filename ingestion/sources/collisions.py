"""New York's motor vehicle collisions: CSV files with one row a crash, and the city's API.

The columns are those of NYC Open Data, "Motor Vehicle Collisions - Crashes" (h9gi-nx95). A second
header with other names for thirteen of them is in circulation; both load. So do the field names of the
city's API, which are lower case. Its names of two streets are crossed: `off_street_name` there has what the
download calls CROSS STREET NAME.

`GET <SLUICE_COLLISIONS_API_URL>/resource/h9gi-nx95.json?$select=…&$where=…&$order=…&$limit=…` (Socrata) returns a list
of crashes in the order of the system fields `:updated_at` and `:id`. A token is optional, and sent in the header `X-App-Token`.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ingestion.api.api_resource import ApiResource
from ingestion.api.errors import Unread
from ingestion.api.settings import ApiSecret, ApiSettings
from ingestion.files.file_resource import FileResource
from ingestion.retry_policy import RetryPolicy
from settings import Settings

PAGE_SIZE = 10_000

_PARTIES = {
    "persons": "persons",
    "pedestrians": "pedestrians",
    "cyclist": "cyclists",
    "motorist": "motorists",
}

_DESCRIBED = {
    "persons": "persons of any kind",
    "cyclist": "cyclists",
    "motorist": "motorists and their passengers",
}
_ORDINALS = ("first", "second", "third", "fourth", "fifth")

CRASHES = FileResource(
    domain="collisions",
    entity="crashes",
    day="crash_date",
    columns={
        "crash_date": "Day of the crash, month/day/year, or of the API year-month-dayT00:00:00.000.",
        "crash_time": "Time of the crash, hours:minutes, New York local time.",
        "borough": "Borough of the crash; often empty.",
        "zip_code": "Postal code of the crash; often empty.",
        "latitude": "Degrees north; 0 where it is not known.",
        "longitude": "Degrees east, negative in New York; 0 where it is not known.",
        "location": "Latitude and longitude as one text.",
        "on_street_name": "Street of the crash.",
        "cross_street_name": "Nearest cross street.",
        "off_street_name": "Address of a crash off the street.",
        **{
            f"number_of_{party}_{harm}": f"Number of {_DESCRIBED.get(party, party)} {harm}."
            for party in _PARTIES
            for harm in ("injured", "killed")
        },
        **{
            f"contributing_factor_vehicle_{position}": f"What the {ordinal} vehicle or its driver contributed."
            for position, ordinal in enumerate(_ORDINALS, start=1)
        },
        "collision_id": "Number of the collision, assigned by the city.",
        **{
            f"vehicle_type_code_{position}": f"Type of the {ordinal} vehicle, as the police wrote it."
            for position, ordinal in enumerate(_ORDINALS, start=1)
        },
    },
    aliases={
        **{
            f"{harm}_{plural}": f"number_of_{party}_{harm}"
            for party, plural in _PARTIES.items()
            for harm in ("injured", "killed")
        },
        **{f"vehicle_type_{position}": f"vehicle_type_code_{position}" for position in range(1, 6)},
    },
    exact_aliases={"off_street_name": "cross_street_name", "cross_street_name": "off_street_name"},
)

# Columns by the fields of the API whose names mean, or are written as, another one.
_FIELDS = {
    **CRASHES.exact_aliases,
    "vehicle_type_code1": "vehicle_type_code_1",
    "vehicle_type_code2": "vehicle_type_code_2",
    ":updated_at": "updated_at",
}


class CollisionsSettings(ApiSettings):
    """Address and app token of the city's API."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_COLLISIONS_")

    api_key: ApiSecret | None = Field(default=None, validation_alias="SLUICE_COLLISIONS_API_TOKEN")


def read_crashes(
    settings: Settings, since: str | None, policy: RetryPolicy, unread: Unread | None = None
) -> Iterator[list[Any]]:
    """Yield pages of the crashes that changed since a time, in the order of their changes."""
    # Imported here, because dlt's REST client is slow to import.
    from dlt.sources.helpers.rest_client.auth import APIKeyAuth

    from ingestion.api.client import ApiClient
    from ingestion.api.socrata_paginator import socrata_pages

    api = CollisionsSettings()
    auth = APIKeyAuth(name="X-App-Token", api_key=api.secret) if api.secret else None
    client = ApiClient(api, auth, "$", policy)
    start = unread or Unread(since)
    for page in socrata_pages(client, "resource/h9gi-nx95.json", start, page_size=PAGE_SIZE):
        yield [_named_as_columns(record) for record in page]


def _named_as_columns(record: Any) -> Any:
    """Return a record with the names of columns, without the other system fields."""
    if not isinstance(record, dict):
        return record
    fields = {_FIELDS.get(name, name): value for name, value in record.items()}
    return {name: value for name, value in fields.items() if not name.startswith(":")}


CRASHES_API = ApiResource(
    domain="collisions",
    entity="crashes",
    settings=CollisionsSettings,
    columns=(*CRASHES.columns, "updated_at"),
    identify=lambda row: row.get("collision_id"),
    read=read_crashes,
    cursor="updated_at",
    is_optional=True,
    adds_to_files=True,
)

RESOURCES = (CRASHES, CRASHES_API)
