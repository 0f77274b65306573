"""What is the taxi DAG's own."""


def test_each_month_is_fetched_and_loaded_apart_from_the_others(two_parses):
    parsed, _ = two_parses("taxi")
    tasks = parsed["tasks"]
    assert {task for task, facts in tasks.items() if facts["mapped"]} == {"download_trips", "ingest_trips"}
    assert "download_trips" in tasks["ingest_trips"]["upstream"]
    assert tasks["download_trips"]["pool"] == "default_pool"
    assert tasks["months_loaded"]["upstream"] == ["ingest_trips"]
    assert tasks["months_loaded"]["trigger_rule"] == "all_done"


def test_it_catches_up_with_the_past(two_parses, other_schedules, no_schedules):
    parsed, _ = two_parses("taxi")
    assert (parsed["schedule"], parsed["catchup"]) == ("0 6 2 * *", True)
    assert parsed["start"].startswith("2021-01-01T00:00:00")
    moved = other_schedules["taxi"]
    assert moved["start"].startswith("2024-05-01T00:00:00")
    assert moved["schedule"] == "0 0 1 * *"
    assert no_schedules["taxi"]["schedule"] is None
