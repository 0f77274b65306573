"""The news as `make run` runs them: with the sample API, which nobody has to start."""

from pathlib import Path

import pytest

from samples.apis.variables import MODEL_KEY, NEWS_KEY, TOKEN
from tests.end_to_end.conftest import Checkout

pytestmark = pytest.mark.slow


def test_a_run_needs_no_address_and_a_second_one_finds_nothing_new(checkout: Checkout) -> None:
    # One run after the other: a pipeline has one at a time.
    done = checkout.run("airflow", "run", "news", "news")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SLUICE_NEWS_API_URL is not set; samples stand in, on http://127.0.0.1:" in done.stdout
    (_, first), (_, second) = checkout.runs()
    assert {state for state, _ in checkout.task_tries(first).values()} == {"success"}
    published = checkout.settings.published("news")
    facts = "select count(*), count(distinct article_id), count(sentiment) from marts.fct_articles"
    assert checkout.query(facts, published) == [(729, 729, 729)]
    assert "news skipped" in done.stdout
    tasks = checkout.task_tries(second)
    assert tasks["check_for_new_data"][0] == tasks["publish"][0] == tasks["enrich_articles"][0] == "skipped"
    # The second run has loaded, built and published nothing: no row can differ.
    assert tasks["dbt_producer_watcher"][0] == tasks["test_data"][0] == "skipped"
    begun = "select min(started_at) from raw_ops.stages where run_id = "
    ((second_begun,),) = checkout.query(f"{begun}'{second}'")
    ((last_load,),) = checkout.query("select max(inserted_at) from raw_news._dlt_loads")
    assert last_load < second_begun
    assert checkout.query(
        f"select count(*) from raw_ops.stages where run_id = '{second}' and rows_in > 0"
    ) == [(0,)]


def test_a_budget_that_is_used_up_ends_partial_and_publishes_all_the_same(checkout: Checkout) -> None:
    checkout.variables |= {"SLUICE_ENRICH_PROVIDER": "openai", "SLUICE_ENRICH_BUDGET_RUN": "0.005"}
    done = checkout.run("airflow", "run", "news")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "articles wait for the next run: the budget of 0.005 USD a run" in done.stdout
    tasks = checkout.task_tries()
    assert {task for task, (state, _) in tasks.items() if state != "success"} == {"enrich_articles"}
    published = checkout.settings.published("news")
    spent = "select calls > 0, cost_usd between 0.001 and 0.005 from marts.agg_llm_cost_by_day"
    assert checkout.query(spent, published) == [(True, True)]
    # Who was judged by the rules stays so until the model has had its say.
    by = "select provider, count(*) > 0 from marts.fct_articles group by provider order by provider"
    assert checkout.query(by, published) == [("local", True), ("openai", True)]


def test_the_keys_are_in_no_file_of_a_run(checkout: Checkout) -> None:
    files = [path for path in Path(checkout.settings.data_dir).rglob("*") if path.is_file()]
    assert checkout.settings.airflow_home / "airflow.db" in files
    assert checkout.settings.warehouse in files
    for key in (NEWS_KEY, MODEL_KEY, TOKEN):
        assert [path for path in files if key.encode() in content(path)] == []


def content(path: Path) -> bytes:
    """A file's bytes; none if it is gone, as SQLite's log is when the last process has closed its database."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
