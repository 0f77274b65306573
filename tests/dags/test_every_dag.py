"""What holds for all DAGs, as Airflow parses them. Runs of them are in end_to_end."""

import pytest

from ingestion.registry import domains
from local_airflow.configuration import dag_names
from orchestration.steps import steps_of
from tests.dags.conftest import before

# The task that goes on with what was loaded, where each file has a task of its own.
JOINS = {"months_loaded", "files_loaded"}
WRITERS = ("find_changes", "dbt_producer_watcher", "test_data", "publish", "record_run")


@pytest.fixture(params=domains())
def domain(request):
    return request.param


@pytest.fixture
def dag(parsed, domain):
    return parsed[domain]


@pytest.fixture
def tasks(dag):
    return dag["tasks"]


@pytest.fixture
def models(tasks):
    return {task: facts for task, facts in tasks.items() if "." in task}


@pytest.fixture
def ingests(tasks):
    return {task for task in tasks if task.startswith("ingest_")}


@pytest.fixture
def loads(tasks, ingests):
    """The tasks that have seen the end of every load."""
    return JOINS & tasks.keys() or ingests


def test_two_parses_give_the_same_dags(two_parses):
    one, other = ({name: dag["digest"] for name, dag in parse["dags"].items()} for parse in two_parses)
    assert one == other
    assert sorted(one) == dag_names()


def test_parsing_starts_no_dbt_and_imports_nothing_heavy(two_parses):
    assert (two_parses[0]["heavy"], two_parses[0]["children"], two_parses[0]["errors"]) == ([], 0, {})


def test_a_wrong_variable_of_a_domain_breaks_its_dag_alone(changed):
    assert changed["errors"].keys() == {"collisions.py"}
    assert "SLUICE_SCHEDULE_COLLISIONS: must be a cron expression" in changed["errors"]["collisions.py"]
    assert sorted([*changed["dags"], "collisions"]) == dag_names()


def test_in_dev_the_schedules_are_shown_and_nothing_is_active_by_itself(dev, parsed):
    own = {"taxi", "sales"}  # which have none there
    assert {name: dag["schedule"] for name, dag in dev.items() if name not in own} == {
        name: dag["schedule"] for name, dag in parsed.items() if name not in own
    }
    # None: as Airflow's `dags_are_paused_at_creation` says.
    paused = dict.fromkeys(dag_names())
    assert {name: dag["paused"] for name, dag in dev.items()} == paused | {"overview": False}
    active = {"overview": False, "pipeline_health": False}
    assert {name: dag["paused"] for name, dag in parsed.items()} == paused | active
    assert [name for name, dag in dev.items() if dag["catchup"]] == []


def test_the_documentation_lists_every_step_that_has_a_task(dag, tasks, domain, prod):
    steps = {step.id for step in steps_of(domain, prod)}
    for step in steps:
        assert f"| `{step.split(', ')[0]}`" in dag["doc"]
    assert {step for step in steps if "*" not in step} <= tasks.keys()


def test_writers_take_the_pool_of_the_warehouse_and_only_models_retry_in_the_build(
    tasks, models, ingests, domain
):
    assert ingests
    assert {task for task, facts in tasks.items() if facts["pool"] == "warehouse_writer"} == ingests | {
        *WRITERS
    }
    assert tasks["dbt_producer_watcher"]["retries"] == tasks["test_data"]["retries"] == 0
    assert models
    assert {facts["pool"] for facts in models.values()} == {f"dbt_watchers_{domain}"}
    assert min(facts["retries"] for facts in models.values()) > 0


def test_no_task_may_run_for_ever(parsed):
    assert {task["timeout"] for dag in parsed.values() for task in dag["tasks"].values()} == {6 * 3600}


def test_a_person_is_asked_in_prod_and_in_dev_a_run_fails_at_once(parsed, dev):
    def asking(dags):
        return {dag["tasks"]["publish"]["asks"] for dag in dags.values() if "publish" in dag["tasks"]}

    assert (asking(parsed), asking(dev)) == ({True}, {False})
    assert {dag["tasks"]["publish"]["timeout"] for dag in dev.values() if "publish" in dag["tasks"]} == {
        6 * 3600
    }


def test_a_run_that_has_begun_has_the_warehouse_before_one_that_begins(tasks, models, ingests):
    order = [*{tasks[task]["priority"] for task in ingests}, *(tasks[task]["priority"] for task in WRITERS)]
    assert order == sorted(set(order))
    # The executor, too, takes a build before the tasks that watch it.
    assert min(order) > max(facts["priority"] for facts in models.values())


def test_publish_waits_for_tests_and_models_and_models_for_all_input(tasks, models, loads):
    assert before(tasks, "publish") >= models.keys() | {"test_data"}
    for task in [*models, "dbt_producer_watcher"]:
        assert before(tasks, task) >= loads


def test_a_failed_build_does_not_stop_what_its_models_repaired(tasks):
    end = tasks["dbt_producer_watcher_done"]
    assert (end["upstream"], end["trigger_rule"]) == (["dbt_producer_watcher"], "all_done")
    assert "dbt_producer_watcher_done" in tasks["test_data"]["upstream"]
    assert [task for task, facts in tasks.items() if "dbt_producer_watcher" in facts["upstream"]] == [
        "dbt_producer_watcher_done"
    ]


def test_a_run_is_green_if_and_only_if_it_published(dag, tasks):
    assert dag["leaves"] == ["published_marker", "run_finished"]
    assert tasks["published_marker"]["upstream"] == ["publish"]
    assert tasks["published_marker"]["trigger_rule"] == "all_success"
    assert before(tasks, "published_marker").isdisjoint({"write_reports", "notify", "record_run"})
    # The other leaf succeeds in any case.
    assert tasks["run_finished"]["upstream"] == ["record_run"]
    assert tasks["run_finished"]["trigger_rule"] == "all_done"


def test_the_message_and_the_metrics_wait_for_the_end_of_every_step(tasks, loads):
    message = tasks["notify"]
    assert message["trigger_rule"] == tasks["record_run"]["trigger_rule"] == "all_done"
    assert message["retries"] == 0
    assert tasks["record_run"]["upstream"] == ["notify"]
    last = "write_reports" if "write_reports" in tasks else "publish"
    assert set(message["upstream"]) == loads | {last}
    assert before(tasks, last) >= {"test_data"}


def test_one_run_at_a_time_with_a_deadline(dag):
    assert dag["max_active_runs"] == 1
    assert dag["deadlines"] == 1
    assert {"force_publish", "full_refresh", "years"} <= set(dag["params"])
