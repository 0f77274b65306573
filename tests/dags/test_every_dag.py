"""What holds for the DAG of every domain, as Airflow parses it. Runs of them are in end_to_end."""

import pytest

from ingestion.registry import domains
from local_airflow.configuration import dag_names
from tests.dags.parsing import before

# The task that goes on with what was loaded, where each file has a task of its own.
JOINS = {"months_loaded", "files_loaded"}


@pytest.fixture(scope="module", params=[dag for dag in dag_names() if dag in domains()])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def parses(two_parses, name):
    return two_parses(name)


@pytest.fixture(scope="module")
def parsed(parses):
    return parses[0]


def test_two_parses_give_the_same_dag(parses):
    assert parses[0]["digest"] == parses[1]["digest"]


def test_parsing_starts_no_dbt_and_imports_nothing_heavy(parsed):
    assert parsed["heavy"] == []
    assert parsed["children"] == 0


def test_what_writes_takes_the_pool_of_the_warehouse_and_only_the_models_retry_in_the_build(parsed, name):
    tasks = parsed["tasks"]
    ingests = {task for task in tasks if task.startswith("ingest_")}
    writers = {task for task, facts in tasks.items() if facts["pool"] == "warehouse_writer"}
    assert ingests
    assert writers == ingests | {"dbt_producer_watcher", "test_data", "publish", "record_run"}
    assert tasks["dbt_producer_watcher"]["retries"] == tasks["test_data"]["retries"] == 0
    models = {task: facts for task, facts in tasks.items() if "." in task}
    assert models
    assert all(model["retries"] > 0 and model["pool"] == f"dbt_watchers_{name}" for model in models.values())


def test_a_run_that_has_begun_has_the_warehouse_before_one_that_begins(parsed):
    tasks = parsed["tasks"]
    ingests = {facts["priority"] for task, facts in tasks.items() if task.startswith("ingest_")}
    later = ("dbt_producer_watcher", "test_data", "publish", "record_run")
    order = [*ingests, *(tasks[task]["priority"] for task in later)]
    assert order == sorted(set(order))
    # The executor, too, takes a build before those who watch it.
    assert min(order) > max(facts["priority"] for task, facts in tasks.items() if "." in task)


def test_publish_waits_for_the_tests_and_for_every_model_and_these_for_all_input(parsed):
    tasks = parsed["tasks"]
    models = {task for task in tasks if "." in task}
    ingests = JOINS & tasks.keys() or {task for task in tasks if task.startswith("ingest_")}
    assert before(tasks, "publish") >= models | ingests | {"test_data"}
    for model in [*models, "dbt_producer_watcher"]:
        assert before(tasks, model) >= ingests


def test_a_failed_build_does_not_stop_what_its_models_repaired(parsed):
    end = parsed["tasks"]["build_finished"]
    assert end["upstream"] == ["dbt_producer_watcher"]
    assert end["trigger_rule"] == "all_done"


def test_a_run_is_green_if_and_only_if_it_published(parsed):
    tasks = parsed["tasks"]
    assert parsed["leaves"] == ["published_marker", "run_finished"]
    assert tasks["published_marker"]["upstream"] == ["publish"]
    assert tasks["published_marker"]["trigger_rule"] == "all_success"
    assert before(tasks, "published_marker").isdisjoint({"write_reports", "notify", "record_run"})
    # The other leaf succeeds in any case.
    assert tasks["run_finished"]["upstream"] == ["record_run"]
    assert tasks["run_finished"]["trigger_rule"] == "all_done"


def test_the_message_and_the_metrics_wait_for_the_end_of_every_stage(parsed):
    tasks = parsed["tasks"]
    message = tasks["notify"]
    assert message["trigger_rule"] == tasks["record_run"]["trigger_rule"] == "all_done"
    assert message["retries"] == 0
    assert tasks["record_run"]["upstream"] == ["notify"]
    # Of files that are loaded apart from each other, one task has seen the end of all.
    ingests = JOINS & tasks.keys() or {task for task in tasks if task.startswith("ingest_")}
    assert set(message["upstream"]) >= ingests
    last = set(message["upstream"]) - ingests
    assert last == ({"write_reports"} if "write_reports" in tasks else {"publish"})
    assert before(tasks, *last) >= {"test_data"}


def test_one_run_at_a_time_and_not_for_ever(parsed):
    assert parsed["max_active_runs"] == 1
    assert parsed["deadlines"] == 1
    assert {"accept", "full_refresh", "years"} <= set(parsed["params"])
