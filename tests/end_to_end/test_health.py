"""The health of the pipelines after real runs under Airflow, two of which failed.

The tests build on each other in this order.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas as pd
import pytest

from local_airflow.local import LocalAirflow
from observability.health import airflow_history
from observability.health.collect import collect, health
from samples.collisions import write_collisions
from settings import AirflowAccess, Settings
from tests.parsed import Parsed

pytestmark = pytest.mark.long

DOMAIN = "collisions"


@dataclass
class History:
    """What Airflow said of its runs at the end, and where the data is."""

    settings: Settings
    lines: int
    runs: list[dict[str, Any]]
    tasks: dict[tuple[str, str], list[dict[str, Any]]]
    plugins: list[dict[str, Any]]
    again: dict[str, int]
    after_the_first: dict[str, list[dict[str, Any]]]

    def of(self, dag_id: str) -> list[dict[str, Any]]:
        """Airflow's runs of a DAG, in their order."""
        found = [run for run in self.runs if run["dag_id"] == dag_id]
        return sorted(found, key=lambda run: run["start_date"])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the published health."""
        with duckdb.connect(str(self.settings.published("health")), read_only=True) as published:
            return published.execute(sql).fetchall()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> History:
    settings = project.put(Settings(data_dir=tmp_path_factory.mktemp("health") / "data", env="dev"))
    landing = settings.landing(DOMAIN)
    landing.mkdir(parents=True)
    delivery = write_collisions(landing / "crashes.csv", rows=500)
    with LocalAirflow(settings) as airflow:
        states = [airflow.run_dag(DOMAIN).state]
        first_ended = datetime.now(UTC)
        (landing / "bad.csv").write_text("this is no file of collisions\n1\n")
        states += [airflow.run_dag(DOMAIN).state for _ in range(2)]
        (landing / "bad.csv").unlink()
        states += [airflow.run_dag(name).state for name in (DOMAIN, "overview", "pipeline_health")]
        assert states == ["success", "failed", "failed", "success", "success", "success"]
        ask = airflow.client.call
        runs = ask("GET", "/dags/~/dagRuns", params={"limit": 1000})["dag_runs"]
        tasks = {
            (run["dag_id"], run["dag_run_id"]): ask(
                "GET",
                f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances",
                params={"limit": 1000},
            )["task_instances"]
            for run in runs
        }
        plugins = ask("GET", "/plugins", params={"limit": 1000})["plugins"]
        access = AirflowAccess(url=airflow.url, username=airflow.username, password=airflow.password)
        asking = settings.model_copy(update={"airflow": access})
        again = collect(asking).rows
        # As if it was looked at between the first run and the second.
        after_the_first = airflow_history.read_history(asking, first_ended + airflow_history.OVERLAP)
    return History(settings, delivery.lines, runs, tasks, plugins, again, after_the_first)


def seconds(run: dict[str, Any]) -> float:
    begun, ended = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    return (ended - begun).total_seconds()


def test_health_equals_figures_computed_from_airflows_answers(history: History) -> None:
    runs = history.of(DOMAIN)
    succeeded = pd.Series([seconds(run) for run in runs if run["state"] == "success"])
    assert len(runs) == 4
    assert len(succeeded) == 2
    columns = (
        "executions, successes, failures, runs_counted, success_rate_last_10::double, last_run_id, last_state, "
        "last_seconds, average_seconds, median_seconds, p95_seconds, duration_trend, "
        "epoch(first_run_at), epoch(last_run_at), epoch(last_success_at)"
    )
    (found,) = history.query(f"select {columns} from marts.agg_pipeline_health where pipeline = '{DOMAIN}'")
    first, last = (datetime.fromisoformat(run["start_date"]).timestamp() for run in (runs[0], runs[-1]))
    assert found == (
        *(4, 2, 2, 4, 0.5, runs[-1]["dag_run_id"], "success"),
        pytest.approx(seconds(runs[-1])),
        # To the millisecond.
        *(
            pytest.approx(value, abs=0.0006)
            for value in (succeeded.mean(), succeeded.median(), succeeded.quantile(0.95))
        ),
        None,
        *(pytest.approx(value) for value in (first, last, last)),
    )


def test_every_task_that_airflow_knows_of_is_there(history: History) -> None:
    for run in history.of(DOMAIN):
        expected = {
            (task["task_id"], task["state"] or "none", task["try_number"])
            for task in history.tasks[DOMAIN, run["dag_run_id"]]
        }
        query = f"select task, state, tries from marts.fct_task_runs where run_id = '{run['dag_run_id']}'"
        assert set(history.query(query)) == expected


def test_models_and_tests_are_there_for_the_runs_that_came_to_them(history: History) -> None:
    good = sorted(run["dag_run_id"] for run in history.of(DOMAIN) if run["state"] == "success")
    for fact, least in (("fct_model_runs", 10), ("fct_test_results", 20)):
        found = dict(
            history.query(
                f"select run_id, count(*) from marts.{fact} where pipeline = '{DOMAIN}' group by run_id"
            )
        )
        assert sorted(found) == good
        assert min(found.values()) > least
    assert history.query("select distinct state from marts.fct_test_results") == [("success",)]
    slowest = history.query(
        f"select model_name from marts.agg_slowest_models where pipeline = '{DOMAIN}' and executions = 2"
    )
    assert ("fct_collisions",) in slowest


def test_loads_and_publications_are_there(history: History) -> None:
    assert history.query(
        f"select sum(rows_loaded) > 400, bool_and(is_complete) from marts.fct_loads where pipeline = '{DOMAIN}'"
    ) == [(True, True)]
    query = "select rows_read, published_at is not null, pipeline from marts.agg_pipeline_health where rows_read > 0"
    assert history.query(query) == [(history.lines, True, DOMAIN)]


def test_the_overview_has_a_row_a_domain_and_day(history: History) -> None:
    with duckdb.connect(str(history.settings.published("overview")), read_only=True) as published:
        found = published.execute(
            "select domain, rows_in, rows_published + rows_quarantined <= rows_in from marts.agg_platform_day"
        ).fetchall()
    assert found == [(DOMAIN, history.lines, True)]


def test_airflows_menu_leads_to_the_dashboard_and_to_the_documentation_of_the_models(
    history: History,
) -> None:
    links = {view["name"]: view["href"] for plugin in history.plugins for view in plugin["external_views"]}
    assert links["Pipeline health"] == "http://127.0.0.1:8501/runs"
    assert "dbt docs" in links


def test_a_second_collection_reads_only_changes(history: History) -> None:
    first, *others = (run["dag_run_id"] for run in history.of(DOMAIN))
    for table in ("airflow_runs", "airflow_tasks"):
        found = {row["run_id"] for row in history.after_the_first[table] if row["pipeline"] == DOMAIN}
        assert found == set(others)
        assert first not in found
    assert history.again["dbt_results"] > 0  # of the build of the health itself
    assert history.again["loads"] == history.again["publications"] == 0


def test_without_airflow_all_else_is_looked_at_and_nothing_is_lost(history: History) -> None:
    figures = "select * from marts.agg_pipeline_health where pipeline = 'collisions'"
    before = history.query(figures)
    collected, _, _ = health(history.settings)
    assert "SLUICE_AIRFLOW_URL is not set" in collected.airflow_error
    access = AirflowAccess(url="http://127.0.0.1:9", username="admin", password="secret-password")
    gone = history.settings.model_copy(update={"airflow": access})
    assert "cannot be reached" in collect(gone).airflow_error
    assert history.query(figures) == before
    assert json.dumps(collect(gone).to_dict()).find("secret-password") == -1
