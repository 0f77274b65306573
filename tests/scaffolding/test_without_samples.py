"""A project of one's own: the sample domains are removed, and all that stays still works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.measuring import copy_checkout
from dashboard.exposures import pages_of
from scaffolding.profile import profile
from scaffolding.project_files import PROJECT_YML, SAMPLE_DOMAINS, SELECTORS_YML
from scaffolding.remove import plan_removal, remove
from scaffolding.write import plan, write
from tests.sample_domains import removed
from tests.scaffolding.helpers import customers, orders

pytestmark = pytest.mark.skipif(bool(removed()), reason="the sample domains are removed already")

IN_FILES = (PROJECT_YML, SELECTORS_YML)


def without_samples(root: Path) -> None:
    for domain in SAMPLE_DOMAINS:
        remove(plan_removal(domain, root), root)


def test_nothing_of_the_samples_stays_and_a_domain_can_be_added_again(tmp_path: Path) -> None:
    root = copy_checkout(tmp_path / "checkout")
    without_samples(root)
    left = [
        str(path.relative_to(root))
        for folder in ("dags", "dashboard", "dbt_project", "docs", "ingestion/sources")
        for path in (root / folder).rglob("*")
        if {*path.stem.split("_")} & {*SAMPLE_DOMAINS}
    ]
    assert left == []
    queries = [path.stem for path in (root / "dashboard" / "queries").glob("*.sql")]
    assert set(queries) <= {"quarantine_by_day", "slow_models"}
    assert list((root / "ingestion" / "sources").glob("[!_]*.py")) == []
    models = yaml.safe_load((root / PROJECT_YML).read_text())["models"]["sluice"]
    assert [name for name in models["clean"] if not name.startswith("+")] == []
    before = [(root / path).read_text() for path in IN_FILES]
    write(plan(profile("shop", [customers(tmp_path), orders(tmp_path)]), root, pages_of), root, lambda: None)
    models = yaml.safe_load((root / PROJECT_YML).read_text())["models"]["sluice"]
    assert models["marts"]["shop"] == {"+tags": ["shop"], "+group": "shop"}
    selectors = yaml.safe_load((root / SELECTORS_YML).read_text())["selectors"]
    assert [each["name"] for each in selectors] == ["shop", "health", "overview"]
    remove(plan_removal("shop", root), root)
    assert [(root / path).read_text() for path in IN_FILES] == before


@pytest.mark.long
def test_the_suite_passes_with_only_a_domain_of_ones_own(tmp_path: Path) -> None:
    root = copy_checkout(tmp_path / "checkout")
    environment = {**os.environ, "SLUICE_DATA_DIR": str(tmp_path / "data")}

    def succeed(*command: str) -> str:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return done.stdout

    sluice = (sys.executable, "-m", "cli")
    succeed("git", "init", "--quiet")
    succeed(*sluice, "remove", "--samples", "--yes")
    succeed(*sluice, "new", "shop", str(customers(tmp_path)), str(orders(tmp_path)), "--deliver")
    succeed("git", "add", "--all")
    succeed(
        "git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "--quiet", "-m", "Shop"
    )
    succeed(*sluice, "run", "shop")
    succeed(*sluice, "check")
    del environment["SLUICE_DATA_DIR"]
    options = ("-n", "2", "--dist", "loadfile", "-m", "not long", "-q", "-p", "no:cacheprovider")
    printed = succeed(sys.executable, "-m", "pytest", *options)
    assert "passed" in printed
    assert "test modules: need collisions" in printed
