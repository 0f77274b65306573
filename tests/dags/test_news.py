"""What is the news DAG's own."""

from tests.dags.parsing import before


def test_nothing_new_skips_the_models_and_neither_budget_nor_alert_stops_them(two_parses):
    parsed, _ = two_parses("news")
    tasks = parsed["tasks"]
    models = {task for task in tasks if "." in task}
    for model in models:
        assert before(tasks, model) >= {"ingest_articles", "check_for_new_data"}
        assert before(tasks, model).isdisjoint({"enrich_articles", "check_volume"})
    ready = tasks["data_available"]
    assert (ready["upstream"], ready["trigger_rule"]) == (["check_volume", "enrich_articles"], "all_done")
    assert "data_available" in tasks["dbt_producer_watcher"]["upstream"]
    for task in ("enrich_articles", "check_volume"):
        assert tasks[task]["upstream"] == ["check_for_new_data"]
        # A model may take its time; the warehouse is for others then.
        assert tasks[task]["pool"] == "default_pool"
