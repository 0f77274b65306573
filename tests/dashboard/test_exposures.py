"""The exposures of dbt: as the pages, the reports and the marts are."""

import json
import re
from pathlib import Path

import pytest

from bench.measuring import copy_checkout
from dashboard.exposures import VIEWS, pages_of
from dashboard.views import find_pages
from scaffolding.generated.write import write_generated
from settings import Settings
from tests.parsed import Parsed


@pytest.fixture(scope="module")
def exposures(tmp_path_factory: pytest.TempPathFactory, project: Parsed) -> dict[str, dict]:
    """The exposures that dbt knows, by name."""
    settings = project.put(Settings(data_dir=tmp_path_factory.mktemp("exposures"), env="dev"))
    manifest = json.loads(settings.manifest.read_text())
    return {node["name"]: node for node in manifest["exposures"].values()}


def marts_of(exposure: dict) -> set[str]:
    return {parent.rpartition(".")[2] for parent in exposure["depends_on"]["nodes"]}


def test_a_change_of_a_page_a_report_or_a_mart_changes_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = copy_checkout(tmp_path)
    marts = checkout / "dbt_project" / "models" / "marts"
    (marts / "taxi" / "fct_rides.sql").write_text("select 1 as ride_id")
    models = marts / "sales" / "_sales__models.yml"
    models.write_text(
        models.read_text()
        + "\n  - name: dim_stores\n    description: Stores.\n    config: {meta: {report: {file: all-stores}}}\n"
    )
    page = tmp_path / "dashboard" / "views" / "news.py"
    page.write_text(page.read_text().replace("marts.dim_news_sources", "marts.dim_dates"))
    monkeypatch.setattr("dashboard.exposures.VIEWS", page.parent)
    changed = [Path(path) for path in write_generated(checkout, pages_of)]
    assert [path.name for path in changed] == [
        f"_{name}__exposures.yml" for name in ("news", "sales", "taxi")
    ]
    assert "name: report_sales_all_stores" in (checkout / changed[1]).read_text()


def test_every_mart_that_a_page_names_is_in_an_exposure_of_the_page(exposures: dict[str, dict]) -> None:
    for page in find_pages():
        name = page.__name__.rpartition(".")[2]
        named = set(re.findall(r"\bmarts\.(\w+)", (VIEWS / f"{name}.py").read_text()))
        shown = [each for key, each in exposures.items() if key.startswith(f"page_{name}")]
        assert named <= set().union(*map(marts_of, shown)), name


def test_the_pages_of_all_domains_are_shown_for_each(exposures: dict[str, dict]) -> None:
    assert marts_of(exposures["page_overview_taxi"]) == {"audit_taxi__row_counts"}
    assert marts_of(exposures["page_quality_taxi"]) == {"audit_taxi__row_counts", "audit_taxi__failed_rules"}


def test_every_mart_is_published_and_no_run_selects_an_exposure(
    exposures: dict[str, dict], project: Parsed, tmp_path: Path
) -> None:
    settings = project.put(Settings(data_dir=tmp_path, env="dev"))
    nodes = json.loads(settings.manifest.read_text())["nodes"].values()
    marts = {node["name"] for node in nodes if node["schema"] == "marts" and node["resource_type"] == "model"}
    published = [each for name, each in exposures.items() if name.startswith("published_")]
    assert set().union(*map(marts_of, published)) == marts
    for exposure in exposures.values():
        assert exposure["description"]
        assert exposure["owner"]["name"]
        # A run selects by tags.
        assert exposure["tags"] == []
