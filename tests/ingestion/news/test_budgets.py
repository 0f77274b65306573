"""Budgets of models: no call exceeds them, and what was paid for is kept."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import jinja2
import pytest

import settings as project_settings
from cli.main import main
from ingestion.enrich import enrich as enriching
from ingestion.enrich.enrich import enrich
from ingestion.enrich.prices import prices_of
from ingestion.sources.news import ENRICHMENTS
from samples.apis.faults import Fault
from samples.apis.server import SampleApis
from settings import DBT_PROJECT_DIR
from tests.ingestion.conftest import Query
from tests.ingestion.news.model_calls import ENRICHED, QUICK, Run, calls_of_model, spent
from tests.kill_at import COMPLETE, MERGE, Point, run_to_death

PRICE_TEST = DBT_PROJECT_DIR / "tests" / "news" / "assert_news_costs_follow_the_prices.sql"


@pytest.mark.parametrize("concurrency", [1, 8])
def test_calls_stay_within_the_budget_of_the_day(
    concurrency: int, model: SampleApis, enrich_news: Run, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_CONCURRENCY", str(concurrency))
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_DAY", "0.001")
    # Slow responses: all threads have an open call.
    model.model_faults.always = Fault(seconds=0.05)
    result = enrich_news()
    assert result.status == "partial"
    assert "the budget of 0.001 USD per day (SLUICE_ENRICH_BUDGET_DAY) is reached" in result.reason
    assert 0 < result.rows_loaded == calls_of_model(model) < 12
    assert 0 < spent(query) <= Decimal("0.001")
    assert query(ENRICHED) == [("enriched", calls_of_model(model))]
    # The budget of the run is full again, that of the day is not.
    assert enrich_news().status == "partial"
    assert spent(query) <= Decimal("0.001")

    tomorrow = enriching._midnight() + timedelta(days=1)
    monkeypatch.setattr(enriching, "_midnight", lambda: tomorrow)
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_DAY", "1")
    assert enrich_news().status == "loaded"
    assert calls_of_model(model) == 12
    assert query(ENRICHED) == [("enriched", 12)]


def test_run_ends_partial_at_its_budget(
    model: SampleApis, query: Query, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_ENRICH_BUDGET_RUN", "0")
    assert main(["load", "news"]) == 1
    output = capsys.readouterr().out
    assert (
        "partial   enrichments  enrichments  12 articles left for the next run: the budget of 0 USD per run"
        in output
    )
    assert calls_of_model(model) == 0
    assert query("select count(*) from raw_news.articles") == [(12,)]


@pytest.mark.parametrize(
    ("point", "lost", "unknown"),
    [
        # Killed before the call was sent, or before its response was recorded.
        (("ingestion.enrich.budget:Budget.begin", "after", 5), 0, 1),
        (("ingestion.enrich.budget:Budget.end", "before", 5), 1, 1),
        (("ingestion.enrich.budget:Budget.end", "after", 5), 1, 0),
        (("ingestion.enrich.write_ahead_log:WriteAheadLog.add_enrichment", "after", 5), 0, 0),
        ((MERGE, "after", 1), 0, 0),
        ((COMPLETE, "before", 1), 0, 0),
        (("ingestion.enrich.write_ahead_log:WriteAheadLog.clear", "before", 2), 0, 0),
    ],
    ids=str,
)
def test_kill_loses_no_paid_enrichment(
    point: Point, lost: int, unknown: int, model: SampleApis, read: Run, enrich_news: Run, query: Query
) -> None:
    read()
    enrich(ENRICHMENTS, project_settings.load(), limit=1, policy=QUICK)
    run_to_death(point, project_settings.load(), "cli", "load", "news", "--entity", "enrichments")
    assert enrich_news().status in ("loaded", "skipped")
    assert query(ENRICHED) == [("enriched", 12)]
    # Only a call that was open is made again.
    assert calls_of_model(model) == 12 + lost
    outcomes = dict(
        query("select outcome, count(*) from raw_news.llm_usage where outcome <> 'cached' group by 1")
    )
    assert outcomes == {"succeeded": 12 + lost * (1 - unknown), **({"unknown": 1} if unknown else {})}
    assert query("select count(*) from raw_news.llm_usage where outcome = 'unknown' and cost_usd = 0") == [
        (0,)
    ]
    left = project_settings.load().dlt_dir / "dev_news_enrichments.jsonl"
    assert left.read_text() == ""


def test_price_is_in_dollars_per_million_tokens() -> None:
    assert prices_of("gpt-4o-mini").on(date(2025, 1, 1)).of(1_000_000, 500_000) == Decimal("0.45")


def test_call_has_the_price_of_its_day(
    model: SampleApis, enrich_news: Run, query: Query, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prices = tmp_path / "llm_prices.csv"
    today = datetime.now(UTC).date()
    rows = [
        f"gpt-4o-mini,{today - timedelta(days=1)},2,2",
        "gpt-4o-mini,2000-01-01,1,1",
        "gpt-4o-mini,2999-01-01,9,9",
    ]
    prices.write_text("\n".join(["model,valid_from,input_usd_per_million,output_usd_per_million", *rows, ""]))
    monkeypatch.setattr("ingestion.enrich.prices.PRICES", prices)
    assert enrich_news().status == "loaded"
    assert query(
        "select distinct (cost_usd * 1000000 / (input_tokens + output_tokens))::int from raw_news.llm_usage"
    ) == [(2,)]
    calls = query(
        "select call_id, outcome, model, input_tokens, output_tokens, cost_usd, called_at::date from raw_news.llm_usage"
    )
    assert price_violations(prices, calls) == []
    earlier = [(*call[:-1], today - timedelta(days=2)) for call in calls]
    assert len(price_violations(prices, earlier)) == 12
    assert price_violations(prices, [(*call[:5], call[5] / 2, call[6]) for call in earlier]) == []
    assert len(price_violations(prices, [(*call[:-1], date(1999, 1, 1)) for call in calls])) == 12


def price_violations(prices: Path, calls: list[tuple]) -> list[tuple]:
    """Return the rows of the data test on the costs of these calls."""
    sql = jinja2.Template(PRICE_TEST.read_text()).render(ref=lambda name: name)
    with duckdb.connect() as connection:
        connection.execute("create table llm_prices as from read_csv(?)", [str(prices)])
        columns = "call_id text, outcome text, model text, input_tokens bigint, output_tokens bigint, cost_usd decimal(18, 9), called_on date"
        connection.execute(f"create table clean_news__llm_calls ({columns})")
        connection.executemany("insert into clean_news__llm_calls values (?, ?, ?, ?, ?, ?, ?)", calls)
        return connection.execute(sql).fetchall()
