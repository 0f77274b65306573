"""Loads of news with quick retries, and counts of the calls of models."""

from collections.abc import Callable
from decimal import Decimal

from ingestion.results import LoadResult
from ingestion.retry_policy import RetryPolicy
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query

ALL = 729
ATTEMPTS = 3
QUICK = RetryPolicy(timeout=1.0, attempts=ATTEMPTS, first_wait=0.01)
ENRICHED = "select status, count(*) from raw_news.enrichments group by all order by all"
Run = Callable[..., LoadResult]


def calls_of_model(apis: SampleApis) -> int:
    """Return the number of requests to the model's API."""
    return len(apis.model_faults.requests)


def spent(query: Query) -> Decimal:
    return query("select coalesce(sum(cost_usd), 0) from raw_news.llm_usage")[0][0]
