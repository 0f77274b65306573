"""The news DAG with the sample API, which `make run` starts by itself."""

from pathlib import Path

import pytest

from samples.apis.variables import MODEL_KEY, NEWS_KEY, TOKEN
from tests.end_to_end.conftest import Checkout

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def ran(checkout: Checkout) -> Checkout:
    """The checkout after two runs, one after the other, without any variable."""
    done = checkout.run("airflow", "run", "news", "news")
    assert done.returncode == 0, done.stdout + done.stderr
    checkout.output = done.stdout
    facts = "select count(*), count(distinct article_id), count(sentiment) from marts.fct_articles"
    checkout.facts = checkout.query(facts, checkout.settings.published("news"))
    checkout.loaded_at = checkout.query("select max(inserted_at) from raw_news._dlt_loads")[0][0]
    return checkout


def test_a_run_needs_no_address(ran: Checkout) -> None:
    assert "SLUICE_NEWS_API_URL is not set; samples stand in, on http://127.0.0.1:" in ran.output
    assert {state for state, _ in ran.task_tries(ran.runs()[0][1]).values()} == {"success"}
    assert ran.facts == [(729, 729, 729)]


def test_a_second_run_finds_nothing_new(ran: Checkout) -> None:
    assert "news skipped" in ran.output
    _, second = ran.runs()[1]
    tasks = ran.task_tries(second)
    assert tasks["check_for_new_data"][0] == tasks["publish"][0] == tasks["enrich_articles"][0] == "skipped"
    # The second run has loaded, built and published nothing: no row can differ.
    assert tasks["dbt_producer_watcher"][0] == tasks["test_data"][0] == "skipped"
    begun = "select min(started_at) from raw_ops.stages where run_id = "
    ((second_begun,),) = ran.query(f"{begun}'{second}'")
    assert ran.loaded_at < second_begun
    rows = f"select count(*) from raw_ops.stages where run_id = '{second}' and rows_in > 0"
    assert ran.query(rows) == [(0,)]


def test_an_exhausted_budget_ends_partial_and_is_published(ran: Checkout) -> None:
    ran.variables |= {"SLUICE_ENRICH_PROVIDER": "openai", "SLUICE_ENRICH_BUDGET_RUN": "0.005"}
    done = ran.run("airflow", "run", "news")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "articles left for the next run: the budget of 0.005 USD per run" in done.stdout
    tasks = ran.task_tries()
    assert {task for task, (state, _) in tasks.items() if state != "success"} == {"enrich_articles"}
    published = ran.settings.published("news")
    spent = "select calls > 0, cost_usd between 0.001 and 0.005 from marts.agg_llm_cost_by_day"
    assert ran.query(spent, published) == [(True, True)]
    # An article keeps the enrichment by rules until the model has enriched it.
    by = "select provider, count(*) > 0 from marts.fct_articles group by provider order by provider"
    assert ran.query(by, published) == [("local", True), ("openai", True)]


def test_the_keys_are_in_no_file_of_a_run(ran: Checkout) -> None:
    files = [path for path in Path(ran.settings.data_dir).rglob("*") if path.is_file()]
    assert ran.settings.airflow_home / "airflow.db" in files
    assert ran.settings.warehouse in files
    for key in (NEWS_KEY, MODEL_KEY, TOKEN):
        assert [path for path in files if key.encode() in content(path)] == []


def content(path: Path) -> bytes:
    """Return a file's bytes; none if it is gone, as SQLite's log after the last process has closed its database."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
