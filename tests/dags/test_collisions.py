"""What is the collisions DAG's own."""


def test_models_are_tasks_in_the_group_of_their_layer(two_parses):
    parsed, _ = two_parses("collisions")
    tasks = parsed["tasks"]
    crashes = tasks["transform_curated.curated_collisions__crashes"]
    assert "transform_clean.clean_collisions__crashes" in crashes["upstream"]
    assert "model_analytics.fct_collisions" in tasks
    assert "ingest_raw" in tasks
    assert parsed["schedule"] == "0 0 * * *"
