"""How the tests ask for news and count what models were asked."""

from collections.abc import Callable
from decimal import Decimal

from ingestion.results import LoadResult
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query

ALL = 729
TRIES = 3
QUICK = {"timeout": 1.0, "tries": TRIES, "first_wait": 0.01}
ENRICHED = "select status, count(*) from raw_news.enrichments group by all order by all"
Run = Callable[..., LoadResult]


def asked(apis: SampleApis) -> int:
    """Requests that the model's API got."""
    return len(apis.model_faults.requests)


def spent(query: Query) -> Decimal:
    return query("select coalesce(sum(cost_usd), 0) from raw_news.llm_usage")[0][0]
