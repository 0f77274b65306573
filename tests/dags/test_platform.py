"""The DAGs that are about the pipelines, as Airflow parses them. Runs of them are in end_to_end."""

import pytest

DAGS = ("pipeline_health", "overview")


@pytest.mark.parametrize("name", DAGS)
def test_two_parses_give_the_same_dag_and_import_nothing_heavy(two_parses, name):
    one, other = two_parses(name)
    assert one["digest"] == other["digest"]
    assert one["heavy"] == []
    assert one["children"] == 0


@pytest.mark.parametrize("name", DAGS)
def test_it_waits_for_the_warehouse_behind_every_run_of_a_domain(two_parses, name):
    parsed, _ = two_parses(name)
    domain, _ = two_parses("collisions")
    others = [task["priority"] for task in domain["tasks"].values() if task["pool"] == "warehouse_writer"]
    for task in parsed["tasks"].values():
        assert task["pool"] == "warehouse_writer"
        assert task["priority"] < min(others)


def test_health_is_looked_at_every_quarter_of_an_hour(two_parses):
    parsed, _ = two_parses("pipeline_health")
    assert parsed["schedule"] == "*/15 * * * *"
    assert not parsed["catchup"]
    assert parsed["max_active_runs"] == 1


def test_any_domain_that_publishes_starts_the_overview(two_parses):
    parsed, _ = two_parses("overview")
    condition = parsed["timetable"]["__var"]["asset_condition"]
    assert condition["__type"] == "asset_any"
    domains = {asset["uri"].rpartition("/")[2] for asset in condition["objects"]}
    assert {"collisions", "ecommerce", "taxi"} <= domains
    assert not {"health", "overview", "shared"} & domains
