"""What Python reads from dbt's manifest."""

import json
import os
from pathlib import Path

import pytest

from transformation.manifest import Costs, Manifest, ManifestError, Report, read_manifest


def mart(name: str, domain: str, meta: dict | None = None) -> dict:
    """Return a model as in dbt's manifest."""
    return {
        "resource_type": "model",
        "schema": "marts",
        "name": name,
        "alias": name,
        "tags": [domain],
        "config": {"meta": meta or {}},
    }


def manifest(*nodes: dict, groups: dict | None = None) -> Manifest:
    """Return a manifest of these nodes."""
    return Manifest({"nodes": {node["name"]: node for node in nodes}, "groups": groups or {}})


def test_a_domain_publishes_its_own_and_the_shared_marts() -> None:
    found = manifest(
        mart("fct_a", "a"),
        mart("fct_b", "b"),
        mart("dim_dates", "shared"),
        mart("clean", "a") | {"schema": "clean"},
    )
    assert set(found.marts("a")) == {"fct_a", "dim_dates"}
    assert found.domains == ("a", "b")


def test_a_domain_without_marts_is_an_error() -> None:
    with pytest.raises(ManifestError, match="dbt has no mart with the tag 'a'"):
        manifest(mart("dim_dates", "shared")).marts("a")


def test_reports_and_costs_are_read_from_meta() -> None:
    found = manifest(
        mart("agg_b", "a", {"report": {"file": "second", "order_by": ["x", "y"]}}),
        mart("agg_a", "a", {"report": {"file": "first", "order_by": ["x"]}}),
        mart("agg_c", "a", {"costs": {"day": "called_on", "usd": "cost_usd"}}),
        mart("agg_d", "b", {"report": {"file": "other", "order_by": ["x"]}}),
    )
    assert found.reports("a") == (Report("first", "agg_a", ("x",)), Report("second", "agg_b", ("x", "y")))
    assert found.costs("a") == (Costs("agg_c", "called_on", "cost_usd"),)
    assert found.costs("b") == ()


@pytest.mark.parametrize(
    ("meta", "missing"),
    [
        ({"report": {"file": "f"}}, "report of the model agg must be"),
        ({"costs": {"day": "d"}}, "costs of the model agg needs"),
    ],
)
def test_incomplete_meta_is_an_error_that_names_the_model(meta: dict, missing: str) -> None:
    found = manifest(mart("agg", "a", meta))
    with pytest.raises(ManifestError, match=missing):
        found.reports("a") + found.costs("a")


def test_alert_limits_are_those_of_the_domains_group() -> None:
    groups = {"group.sluice.a": {"name": "a", "config": {"meta": {"alerts": {"freshness_hours": 1}}}}}
    found = manifest(groups=groups)
    assert found.alerts("a") == {"freshness_hours": 1}
    assert found.alerts("b") == {}


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"nodes": {}, "metadata": {"invocation_id": "1"}}))
    first = read_manifest(file)
    assert read_manifest(file) is first
    file.write_text(json.dumps({"nodes": {}, "metadata": {"invocation_id": "2"}}))
    os.utime(file, ns=(0, 0))
    assert read_manifest(file).invocation_id == "2"


@pytest.mark.parametrize("content", [None, '{"nodes": '])
def test_missing_or_incomplete_manifest_is_an_error_that_names_the_file(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "manifest.json"
    if content:
        file.write_text(content)
    with pytest.raises(ManifestError, match=f"{file} cannot be read"):
        read_manifest(file)
