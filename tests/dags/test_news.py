"""What is the news DAG's own."""

from tests.dags.parsing import before


def test_nothing_new_skips_the_models_and_neither_budget_nor_alert_stops_them(two_parses):
    parsed, _ = two_parses("news")
    tasks = parsed["tasks"]
    models = {task for task in tasks if "." in task}
    for model in models:
        assert before(tasks, model) >= {"ingest_articles", "any_news"}
        assert before(tasks, model).isdisjoint({"enrich_articles", "check_volume"})
    ready = tasks["articles_ready"]
    assert (ready["upstream"], ready["trigger_rule"]) == (["check_volume", "enrich_articles"], "all_done")
    assert "articles_ready" in tasks["dbt_producer_watcher"]["upstream"]
    for task in ("enrich_articles", "check_volume"):
        assert tasks[task]["upstream"] == ["any_news"]
        # A model may take its time; the warehouse is for others then.
        assert tasks[task]["pool"] == "default_pool"
