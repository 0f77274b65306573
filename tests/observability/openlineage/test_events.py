"""The events of a run of ecommerce, as a receiver gets them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from ingestion.results import FilesFailedError
from orchestration.run import Run, run_domain
from settings import Settings
from tests.parsed import Parsed
from tests.receivers import LineageReceiver, lineage_receiver

pytestmark = pytest.mark.slow

SPEC = Path(__file__).with_name("spec")
NAMESPACE = "sluice://dev"
ORDERS = """order_id,customer_id,product_id,quantity,unit_price,order_date,status
O1,C1,P1,1,2.00,2024-05-01,placed
O2,C1,P1,2,2.00,2024-05-02,shipped
"""
CUSTOMERS = "customer_id,name,email,region,updated_at\nC1,Ann,a@example.org,North,2024-05-01 10:00:00\n"
PRODUCTS = "product_id,product_name,category,unit_cost\nP1,Pen,office,1.5\n"

Event = dict[str, Any]


def deliver(settings: Settings, **files: str) -> None:
    settings.landing("ecommerce").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (settings.landing("ecommerce") / f"{name}.csv").write_text(text)


@pytest.fixture(scope="module")
def receiver() -> Iterator[LineageReceiver]:
    with lineage_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory, project: Parsed, receiver: LineageReceiver
) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUICE_OPENLINEAGE_URL", receiver.url)
        patch.setenv("NO_PROXY", "*")
        folder = tmp_path_factory.mktemp("run") / "data"
        yield project.put(Settings(data_dir=folder, env="dev", file_stable_seconds=0.0))


@pytest.fixture(scope="module")
def failed(settings: Settings, receiver: LineageReceiver) -> list[Event]:
    """The events of a run whose only file of orders has other columns."""
    deliver(settings, orders="nothing,known\n1,2\n", customers=CUSTOMERS, products=PRODUCTS)
    with pytest.raises(FilesFailedError):
        run_domain(Run("ecommerce", settings))
    return [*receiver.events]


@pytest.fixture(scope="module")
def events(settings: Settings, receiver: LineageReceiver, failed: list[Event]) -> list[Event]:
    """The events of the next run, which publishes."""
    deliver(settings, orders=ORDERS)
    run_domain(Run("ecommerce", settings))
    return receiver.events[len(failed) :]


def ended(events: list[Event], job: str) -> Event:
    """Return the last event of a job."""
    return [event for event in events if event["job"]["name"] == f"ecommerce.{job}"][-1]


def written(events: list[Event], dataset: str) -> Event:
    """Return what the events say of a dataset that a job has written."""
    (found,) = [each for event in events for each in event.get("outputs", []) if each["name"] == dataset]
    return found


def test_every_event_and_facet_keeps_to_its_published_schema(
    events: list[Event], failed: list[Event]
) -> None:
    schemas = [json.loads(path.read_text()) for path in SPEC.glob("*.json")]
    registry = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in schemas]
    )
    checked: set[str] = set()

    def check(value: Any, url: str) -> None:
        jsonschema.Draft202012Validator(
            {"$ref": url}, registry=registry, format_checker=jsonschema.FormatChecker()
        ).validate(value)
        checked.add(url.rpartition("/")[2])

    def facets(value: Any) -> Iterator[Event]:
        if isinstance(value, dict):
            if "_schemaURL" in value:
                yield value
            for each in value.values():
                yield from facets(each)
        elif isinstance(value, list):
            for each in value:
                yield from facets(each)

    for event in (*events, *failed):
        check(event, event["schemaURL"])
        for facet in facets(event):
            check(facet, facet["_schemaURL"])
    assert checked >= {
        "RunEvent",
        "JobEvent",
        "SchemaDatasetFacet",
        "ColumnLineageDatasetFacet",
        "DataQualityAssertionsDatasetFacet",
        "OutputStatisticsOutputDatasetFacet",
        "ParentRunFacet",
        "ErrorMessageRunFacet",
    }


def test_a_page_and_a_report_are_reached_from_a_landing_file(events: list[Event]) -> None:
    reached = {"landing/ecommerce/orders"}
    steps = 0
    while True:
        further = {
            output["name"]
            for event in events
            if reached & {each["name"] for each in event.get("inputs", [])}
            for output in event.get("outputs", [])
        }
        if further <= reached:
            break
        reached |= further
        steps += 1
    assert {
        "raw_ecommerce.orders",
        "clean.clean_ecommerce__orders",
        "marts.fct_orders",
        "published/ecommerce/fct_orders",
        "reports/ecommerce_customer_summary",
        "pages/ecommerce",
    } <= reached
    assert "landing/ecommerce/products" not in reached
    assert steps > 5


def test_a_published_column_is_traced_to_a_raw_one(events: list[Event]) -> None:
    def sources(name: str, column: str) -> set[str]:
        found = [each for event in events for each in event.get("outputs", []) if each["name"] == name]
        fields = found[0]["facets"].get("columnLineage", {}).get("fields", {}) if found else {}
        inputs = fields.get(column, {}).get("inputFields", [])
        if not inputs:
            return {f"{name}.{column}"}
        return set().union(*(sources(each["name"], each["field"]) for each in inputs))

    assert "raw_ecommerce.orders.unit_price" in sources("published/ecommerce/fct_orders", "revenue")
    lineage = written(events, "marts.agg_daily_order_revenue")["facets"]["columnLineage"]
    (revenue,) = lineage["fields"]["revenue"]["inputFields"]
    assert (revenue["name"], revenue["field"]) == ("marts.fct_orders", "revenue")
    assert revenue["transformations"] == [{"type": "DIRECT", "subtype": "TRANSFORMATION"}]
    # What decides which rows there are is about the whole table.
    assert {each["transformations"][0]["type"] for each in lineage["dataset"]} == {"INDIRECT"}


def test_datasets_have_columns_owner_and_rows(events: list[Event]) -> None:
    fact = written(events, "published/ecommerce/fct_orders")
    assert fact["namespace"] == NAMESPACE
    assert fact["outputFacets"]["outputStatistics"]["rowCount"] == 2
    types = {field["name"]: field.get("type") for field in fact["facets"]["schema"]["fields"]}
    assert types["revenue"] == "decimal(18, 2)"
    assert fact["facets"]["ownership"]["owners"] == [{"name": "Online shop team"}]
    raw = written([ended(events, "ingest_orders")], "raw_ecommerce.orders")
    assert raw["outputFacets"]["outputStatistics"]["rowCount"] == 2


def test_the_tests_are_assertions_on_the_tables_that_they_test(events: list[Event]) -> None:
    tested = {each["name"]: each for each in ended(events, "test_data")["inputs"]}
    found = tested["marts.fct_orders"]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert ("primary_key", True) in {(each["assertion"], each["success"]) for each in found}
    assert any(each["name"] == "assert_ecommerce_revenue_is_price_times_quantity" for each in found)


def test_each_part_has_the_run_as_its_parent(events: list[Event]) -> None:
    runs = {event["run"]["runId"]: event["job"]["name"] for event in events if "run" in event}
    for event in events:
        if "run" in event and event["job"]["name"] != "ecommerce":
            parent = event["run"]["facets"]["parent"]
            assert runs[parent["run"]["runId"]] == parent["job"]["name"] == "ecommerce"


def test_a_failed_run_says_why(failed: list[Event]) -> None:
    whole = [event for event in failed if event["job"]["name"] == "ecommerce"][-1]
    part = ended(failed, "ingest_orders")
    for event in (whole, part):
        assert event["eventType"] == "FAIL"
        assert "none of the known" in event["run"]["facets"]["errorMessage"]["message"]
    # What failed has written nothing, and no page shows anything new.
    assert part["outputs"] == []
    assert [event for event in failed if "run" not in event] == []
