"""What is the ecommerce DAG's own."""


def test_each_entity_is_loaded_by_its_own_task_and_reports_follow_the_publication(two_parses):
    parsed, _ = two_parses("ecommerce")
    tasks = parsed["tasks"]
    ingests = {task for task in tasks if task.startswith("ingest_")}
    assert ingests == {"ingest_orders", "ingest_customers", "ingest_products"}
    assert tasks["write_reports"]["upstream"] == ["publish"]
    assert (parsed["schedule"], parsed["catchup"]) == ("0 2 * * *", False)


def test_the_environment_replaces_the_schedule(other_schedules):
    assert other_schedules["ecommerce"]["schedule"] == "15 4 * * *"
