"""What single DAGs have of their own."""

from tests.dags.conftest import before


def test_models_are_tasks_in_the_groups_of_their_folders(parsed):
    tasks = parsed["collisions"]["tasks"]
    crashes = tasks["models.curated.collisions.curated_collisions__crashes"]
    assert "models.clean.collisions.clean_collisions__crashes" in crashes["upstream"]
    assert "models.marts.collisions.fct_collisions" in tasks
    assert "ingest_crashes" in tasks
    assert parsed["collisions"]["schedule"] == "0 0 * * *"


def test_ecommerce_loads_each_entity_by_its_own_task_and_reports_after_publishing(parsed, changed):
    dag = parsed["ecommerce"]
    ingests = {task for task in dag["tasks"] if task.startswith("ingest_")}
    assert ingests == {"ingest_orders", "ingest_customers", "ingest_products"}
    assert set(dag["tasks"]["files_loaded"]["upstream"]) == ingests
    # A bad file of one entity leaves the good ones to be published.
    assert dag["tasks"]["files_loaded"]["trigger_rule"] == "all_done"
    assert dag["tasks"]["write_reports"]["upstream"] == ["publish"]
    assert (dag["schedule"], dag["catchup"]) == ("0 2 * * *", False)
    assert changed["dags"]["ecommerce"]["schedule"] == "15 4 * * *"


def test_without_news_the_models_are_skipped_and_neither_budget_nor_alert_stops_them(parsed):
    tasks = parsed["news"]["tasks"]
    models = {task for task in tasks if "." in task}
    assert models
    for model in models:
        assert before(tasks, model) >= {"ingest_articles", "check_for_new_data"}
        assert before(tasks, model).isdisjoint({"enrich_articles", "check_volume"})
    ready = tasks["data_available"]
    assert (ready["upstream"], ready["trigger_rule"]) == (["check_volume", "enrich_articles"], "all_done")
    assert tasks["find_changes"]["upstream"] == ["check_for_new_data", "data_available"]
    # Something may be left from earlier runs.
    assert tasks["find_changes"]["trigger_rule"] == "none_failed"
    for task in ("enrich_articles", "check_volume"):
        assert tasks[task]["upstream"] == ["check_for_new_data"]
        # A model may take its time; others use the warehouse meanwhile.
        assert tasks[task]["pool"] == "default_pool"


def test_a_task_whose_model_is_gone_fails_at_once_and_says_so(program):
    told = program("watch_models")
    # As long as the build runs, the task waits.
    assert told.pop("running") is False
    # A person has cleared the task of a model that had no new input.
    assert told.pop("cleared") is True
    reasons = {
        "ended without it": "clean_collisions__crashes is not in this build: the build has ended without it",
        "no file": "clean_collisions__crashes is not in this build: models/gone.sql does not exist",
        "failed without it": "gone is not in this build: dbt does not know it",
        "retried": "gone is not in this build: dbt does not know it",
    }
    renamed = "It was renamed, removed or disabled after the DAG of this run was read; the next run has the models of the project."
    assert told == {case: f"the model {reason}. {renamed}" for case, reason in reasons.items()}


def test_an_api_is_read_beside_other_writers(parsed):
    for domain, entity in (("news", "articles"), ("sales", "products")):
        tasks = parsed[domain]["tasks"]
        assert tasks[f"fetch_{entity}"]["pool"] == "default_pool"
        assert tasks[f"ingest_{entity}"]["pool"] == "warehouse_writer"
        assert tasks[f"ingest_{entity}"]["upstream"] == [f"fetch_{entity}"]


def test_what_could_be_fetched_is_loaded_if_other_files_could_not(program):
    tasks = program("parse_fetched_orders")
    others = ["ingest_customers", "ingest_products"]
    assert tasks["fetch_orders"] == ["all_done", "default_pool", others]
    assert tasks["ingest_orders"] == ["all_done", "warehouse_writer", ["fetch_orders"]]
    assert tasks["files_loaded"] == ["all_done", "default_pool", sorted([*others, "ingest_orders"])]


def test_api_beside_files_is_read_after_them_if_its_address_is_set(parsed, dev):
    assert not [task for task in parsed["collisions"]["tasks"] if "api" in task]
    tasks = dev["collisions"]["tasks"]
    fetch = tasks["fetch_crashes_api"]
    assert (fetch["upstream"], fetch["trigger_rule"]) == (["ingest_crashes"], "all_done")
    assert tasks["ingest_crashes_api"]["upstream"] == ["fetch_crashes_api"]
    assert tasks["ingest_crashes_api"]["outlets"] == tasks["ingest_crashes"]["outlets"]
    assert tasks["files_loaded"]["upstream"] == ["ingest_crashes", "ingest_crashes_api"]


def test_sales_loads_each_file_by_its_own_task_and_the_catalogue_once(parsed):
    tasks = parsed["sales"]["tasks"]
    assert tasks["ingest_sales"]["upstream"] == tasks["fetch_products"]["upstream"] == ["files"]
    assert tasks["ingest_products"]["upstream"] == ["fetch_products"]
    assert tasks["files_loaded"]["upstream"] == ["ingest_products", "ingest_sales"]
    assert tasks["files_loaded"]["trigger_rule"] == "all_done"
    assert parsed["sales"]["catchup"] is False


def test_the_trigger_reports_each_complete_content_once(program, tmp_path):
    told = program("watch_landing", str(tmp_path))
    names = ["a.csv", "b.csv", "a.csv", "c.csv", "slow.csv", "d.csv", "caf\\xe9.csv", "ahead.csv"]
    assert told == [[name] for name in names]


def test_sales_run_when_files_have_arrived(program):
    can_be_made, kwargs = program("make_trigger", SLUICE_FILE_STABLE_SECONDS="5")
    assert can_be_made
    assert kwargs["file_stable_seconds"] == 5
    assert kwargs["folder"].endswith("/landing/sales")


def test_sales_run_by_the_clock_where_they_have_a_schedule(parsed, changed, dev):
    assert parsed["sales"]["schedule"] == "*/30 * * * *"
    assert changed["dags"]["sales"]["schedule"] == "15 * * * *"
    assert dev["sales"]["schedule"] is None
    assert dev["sales"]["tasks"]


def test_taxi_downloads_and_loads_each_month_by_tasks_of_its_own(parsed):
    tasks = parsed["taxi"]["tasks"]
    assert {task for task, facts in tasks.items() if facts["mapped"]} == {"download_trips", "ingest_trips"}
    assert "download_trips" in tasks["ingest_trips"]["upstream"]
    assert tasks["download_trips"]["pool"] == "default_pool"
    assert tasks["months_loaded"]["upstream"] == ["ingest_trips"]
    assert tasks["months_loaded"]["trigger_rule"] == "all_done"


def test_taxi_catches_up_with_the_past(parsed, changed, dev):
    dag = parsed["taxi"]
    assert (dag["schedule"], dag["catchup"]) == ("0 6 2 * *", True)
    assert dag["start"].startswith("2021-01-01T00:00:00")
    moved = changed["dags"]["taxi"]
    assert moved["start"].startswith("2024-05-01T00:00:00")
    assert moved["schedule"] == "0 0 1 * *"
    assert dev["taxi"]["schedule"] is None


def test_platform_dags_wait_for_the_warehouse_behind_every_run_of_a_domain(parsed):
    others = [
        task["priority"]
        for task in parsed["collisions"]["tasks"].values()
        if task["pool"] == "warehouse_writer"
    ]
    own = [task for name in ("pipeline_health", "overview") for task in parsed[name]["tasks"].values()]
    assert {task["pool"] for task in own} == {"warehouse_writer"}
    assert max(task["priority"] for task in own) < min(others)


def test_health_is_collected_every_quarter_of_an_hour(parsed):
    dag = parsed["pipeline_health"]
    assert (dag["schedule"], dag["catchup"], dag["max_active_runs"]) == ("*/15 * * * *", False, 1)


def test_any_domain_that_publishes_starts_the_overview(parsed):
    condition = parsed["overview"]["timetable"]["__var"]["asset_condition"]
    assert condition["__type"] == "asset_any"
    domains = {asset["uri"].rpartition("/")[2] for asset in condition["objects"]}
    assert domains == {"collisions", "ecommerce", "news", "sales", "taxi"}


def test_preview_waits_for_the_warehouse_and_runs_by_hand_only(parsed):
    dag = parsed["preview"]
    assert (dag["schedule"], dag["params"]) == (None, ["domains"])
    assert dag["tasks"]["compare"]["pool"] == "warehouse_writer"
    assert dag["tasks"]["compare"]["retries"] == 0
