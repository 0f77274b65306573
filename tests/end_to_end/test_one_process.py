"""The collisions DAG in one process, as `dag.test()` runs it for somebody who works on it."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Checkout, Delivered, accounting

pytestmark = pytest.mark.long


def test_what_was_delivered_arrives_and_every_row_is_accounted_for(
    checkout: Checkout, delivered: Delivered
) -> None:
    events = checkout.path / "events.jsonl"
    checkout.variables = {"SLUICE_OPENLINEAGE_URL": str(events)}
    done = checkout.run("airflow", "exec", "python", "dags/collisions.py")
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = delivered.lines - delivered.rejected
    assert checkout.query("select count(*) from raw_collisions.crashes") == [(loaded,)]
    assert checkout.query("select count(*) from raw_collisions.rejected_lines") == [(delivered.rejected,)]
    counts = accounting(checkout)
    assert counts["rows_read"] == delivered.lines
    assert counts["rows_read"] == sum(counts.values()) - counts["rows_read"]
    assert checkout.query("select count(*) from marts.fct_collisions") == [(counts["rows_clean"],)]
    _sends_its_lineage(events)


def _sends_its_lineage(events: Path) -> None:
    sent = [json.loads(line) for line in events.read_text().splitlines()]
    ended = {event["job"]["name"]: event for event in sent if event.get("eventType") == "COMPLETE"}
    assert {
        "collisions",
        "collisions.ingest_crashes",
        "collisions.fct_collisions",
        "collisions.publish",
    } <= ended.keys()
    (fact,) = ended["collisions.fct_collisions"]["outputs"]
    assert "persons_injured" in fact["facets"]["columnLineage"]["fields"]
    tested = ended["collisions.test_data"]["inputs"]
    assert "marts.fct_collisions" in {dataset["name"] for dataset in tested}
