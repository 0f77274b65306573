"""Lineage in Airflow: from what is published back to the files and APIs, by the assets of the tasks alone."""

from typing import Any

import pytest

from ingestion.registry import domains


def origins(tasks: dict[str, Any], asset: str) -> set[str]:
    """Return the assets without a producer from which an asset is made."""
    producers = [task for task in tasks.values() if asset in task["outlets"]]
    inlets = {inlet for task in producers for inlet in task["inlets"]} - {asset}
    return set().union(*(origins(tasks, inlet) for inlet in inlets)) if inlets else {asset}


ORIGINS = [
    ("collisions", {"landing/collisions/crashes"}),
    ("ecommerce", {f"landing/ecommerce/{name}" for name in ("orders", "customers", "products")}),
    ("sales", {"landing/sales/sales", "api/sales/products"}),
    ("taxi", {"landing/taxi/trips"}),
    ("news", {"api/news/articles"}),
]


@pytest.mark.parametrize("shown", ["published", "pages"])
@pytest.mark.parametrize(("domain", "expected"), ORIGINS)
def test_what_is_published_and_shown_is_traced_to_what_was_delivered(
    parsed: dict[str, Any], domain: str, expected: set[str], shown: str
) -> None:
    found = origins(parsed[domain]["tasks"], f"sluice://{shown}/{domain}")
    assert {f"sluice://{name}" for name in expected} <= found
    # The rest are seeds and the calendar.
    others = {uri.removeprefix("sluice://") for uri in found} - expected
    assert {name for name in others if not name.startswith("seeds/")} == {"marts/dim_dates"}


def test_a_report_is_traced_to_what_was_delivered(parsed: dict[str, Any]) -> None:
    found = origins(parsed["ecommerce"]["tasks"], "sluice://reports/ecommerce_customer_summary")
    assert "sluice://landing/ecommerce/orders" in found


def test_every_asset_has_one_description_and_owner_in_all_dags(
    parsed: dict[str, Any], dev: dict[str, Any]
) -> None:
    known: dict[str, dict[str, str]] = {}
    for dag in (*parsed.values(), *dev.values()):
        for uri, asset in dag["assets"]:
            assert asset["description"], uri
            assert asset["owner"].endswith("team"), uri
            assert known.setdefault(uri, asset) == asset
    assert known["sluice://marts/fct_orders"]["owner"] == "Online shop team"
    assert known["sluice://raw/ecommerce/orders"]["name"] == "raw_ecommerce.orders"
    kinds = {uri.split("/")[2] for uri in known}
    assert kinds >= {
        "landing",
        "api",
        "raw",
        "seeds",
        "clean",
        "curated",
        "marts",
        "published",
        "reports",
        "pages",
    }


def test_every_model_has_one_task_that_writes_it(parsed: dict[str, Any]) -> None:
    for domain in domains():
        tasks = parsed[domain]["tasks"]
        models = {name: task for name, task in tasks.items() if name.startswith(("models.", "seeds."))}
        outlets = [outlet for task in models.values() for outlet in task["outlets"]]
        assert len(outlets) == len(set(outlets)) == len(models)


def test_no_asset_has_a_path_of_a_machine(parsed: dict[str, Any]) -> None:
    uris = {
        uri
        for dag in parsed.values()
        for task in dag["tasks"].values()
        for uri in task["inlets"] + task["outlets"]
    }
    assert len(uris) > 100
    assert all(uri.startswith("sluice://") and uri.count("/") <= 4 for uri in uris)


def test_only_what_is_published_or_delivered_starts_a_dag(parsed: dict[str, Any]) -> None:
    for dag in parsed.values():
        for word in ("marts", "clean", "curated", "raw"):
            assert f"sluice://{word}" not in str(dag["timetable"])
