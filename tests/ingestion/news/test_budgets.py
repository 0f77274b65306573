"""What models may cost: no call beyond the budget, and what was paid for is kept."""

from datetime import timedelta
from decimal import Decimal

import pytest

import settings as project_settings
from ingestion.__main__ import main
from ingestion.enrich import enrich as enriching
from ingestion.enrich.enrich import enrich
from ingestion.enrich.prices import price_of
from ingestion.sources.news import ARTICLES
from samples.apis.faults import Fault
from samples.apis.server import SampleApis
from tests.ingestion.conftest import Query
from tests.ingestion.news.asking import ENRICHED, QUICK, Run, asked, spent
from tests.kill_at import Point, run_to_death

MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"


@pytest.mark.parametrize("concurrency", [1, 8])
def test_no_call_goes_beyond_the_budget_and_the_next_day_goes_on(
    concurrency: int, model: SampleApis, judge: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_CONCURRENCY", str(concurrency))
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_DAY", "0.001")
    # Answers that come late: all threads have a call under way.
    model.model_faults.always = Fault(seconds=0.05)
    result = judge()
    assert result.status == "partial"
    assert "the budget of 0.001 USD a day (SLUICE_ENRICH_BUDGET_DAY) is reached" in result.reason
    assert 0 < result.rows_loaded == asked(model) < 12
    assert 0 < spent(query) <= Decimal("0.001")
    assert query(ENRICHED) == [("enriched", asked(model))]
    # The run's own budget is whole again, the day's is not.
    assert judge().status == "partial"
    assert spent(query) <= Decimal("0.001")

    tomorrow = enriching._midnight() + timedelta(days=1)
    monkeypatch.setattr(enriching, "_midnight", lambda: tomorrow)
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_DAY", "1")
    assert judge().status == "loaded"
    assert asked(model) == 12
    assert query(ENRICHED) == [("enriched", 12)]


def test_a_run_ends_partial_at_its_budget(
    model: SampleApis, query: Query, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_RUN", "0")
    assert main(["news"]) == 1
    told = capsys.readouterr().out
    assert (
        "partial   enrichments  enrichments  12 articles wait for the next run: the budget of 0 USD a run"
        in told
    )
    assert asked(model) == 0
    assert query("select count(*) from raw_news.articles") == [(12,)]


@pytest.mark.parametrize(
    ("point", "lost", "unknown"),
    [
        # Killed before the call was sent, or before its answer was noted.
        (("ingestion.enrich.spending:Spending.begin", "after", 5), 0, 1),
        (("ingestion.enrich.spending:Spending.end", "before", 5), 1, 1),
        (("ingestion.enrich.spending:Spending.end", "after", 5), 1, 0),
        (("ingestion.enrich.journal:Journal.note_enrichment", "after", 5), 0, 0),
        ((MERGE, "after", 1), 0, 0),
        (("dlt.load.load:Load.complete_package", "before", 1), 0, 0),
        (("ingestion.enrich.journal:Journal.clear", "before", 2), 0, 0),
    ],
    ids=str,
)
def test_what_was_paid_for_is_not_lost_by_a_kill(
    point: Point, lost: int, unknown: int, model: SampleApis, read: Run, judge: Run, query: Query
) -> None:
    read()
    enrich(ARTICLES, project_settings.load(), limit=1, **QUICK)
    run_to_death(point, project_settings.load(), "ingestion", "news", "--entity", "enrichments")
    assert judge().status in ("loaded", "skipped")
    assert query(ENRICHED) == [("enriched", 12)]
    # Only a call that was under way is made again.
    assert asked(model) == 12 + lost
    outcomes = dict(
        query("select outcome, count(*) from raw_news.llm_usage where outcome <> 'cached' group by 1")
    )
    assert outcomes == {"answered": 12 + lost * (1 - unknown), **({"unknown": 1} if unknown else {})}
    assert query("select count(*) from raw_news.llm_usage where outcome = 'unknown' and cost_usd = 0") == [
        (0,)
    ]
    left = project_settings.load().dlt_dir / "dev_news_enrichments.jsonl"
    assert left.read_text() == ""


def test_a_price_is_dollars_a_million_tokens() -> None:
    assert price_of("gpt-4o-mini").of(1_000_000, 500_000) == Decimal("0.45")
