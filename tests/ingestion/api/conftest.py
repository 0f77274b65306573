"""A load of the products from the sample API."""

import pytest

import settings as project_settings
from ingestion.api.load_api import load_api
from ingestion.results import LoadResult
from ingestion.sources.products import PRODUCTS
from samples.apis.server import SampleApis
from tests.ingestion.api.products import TRIES, Load


@pytest.fixture
def load(apis: SampleApis) -> Load:
    """Load the products, with little patience."""

    def run(**patience: float) -> LoadResult:
        quick = {"timeout": 1.0, "tries": TRIES, "first_wait": 0.01} | patience
        return load_api(PRODUCTS, project_settings.load(), **quick)

    return run
