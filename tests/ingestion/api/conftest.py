"""A load of the products from the sample API."""

import pytest

import settings as project_settings
from ingestion.api.load_api import load_api
from ingestion.results import LoadResult
from ingestion.retry_policy import RetryPolicy
from ingestion.sources.products import PRODUCTS
from samples.apis.server import SampleApis
from tests.ingestion.api.helpers import ATTEMPTS, Load


@pytest.fixture
def load(apis: SampleApis) -> Load:
    """Load the products with quick retries."""

    def run(timeout: float = 1.0) -> LoadResult:
        policy = RetryPolicy(timeout, attempts=ATTEMPTS, first_wait=0.01)
        return load_api(PRODUCTS, project_settings.load(), policy=policy)

    return run
