"""The preview's DAG, which is of no domain."""


def test_it_waits_for_the_warehouse_and_runs_by_hand_only(two_parses):
    one, other = two_parses("preview")
    assert one["digest"] == other["digest"]
    assert (one["heavy"], one["children"]) == ([], 0)
    assert (one["schedule"], one["params"]) == (None, ["domains"])
    assert one["tasks"]["compare"]["pool"] == "warehouse_writer"
    assert one["tasks"]["compare"]["retries"] == 0
