"""One domain in a data folder of its own: its deliveries and the tables that dbt builds from them."""

import json
import shutil
from copy import copy
from pathlib import Path
from typing import Any, Self

import duckdb

from ingestion.load import load_domain
from lineage.graph import Table
from lineage.models import resolve_models
from samples.delivery import Delivery
from settings import Settings
from tests.contents import differing
from tests.forks import run_dbt
from tests.parsed import Parsed
from transformation.dbt import UNIT_TESTS, selectors
from transformation.manifest import Manifest

#: Columns in which two builds of the same rows differ.
EXCEPT = "_rules_hash _validated_at _built_at _source_built_at"


class Built:
    """One domain, which a test delivers to and builds as often as it needs."""

    def __init__(self, domain: str, data_dir: Path, project: Parsed) -> None:
        self.domain = domain
        self.settings = project.put(Settings(data_dir=data_dir, env="dev"))
        self.project = project

    @property
    def landing(self) -> Path:
        return self.settings.landing(self.domain)

    def copied_to(self, data_dir: Path) -> Self:
        """Return a copy with a data folder of its own, for a test that delivers more."""
        shutil.copytree(self.settings.data_dir, data_dir)
        copied = copy(self)
        copied.settings = self.project.put(self.settings.model_copy(update={"data_dir": data_dir}))
        return copied

    def deliver(self, name: str, *lines: str) -> None:
        """Put a CSV file into landing, its first line the header."""
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))

    def build(self, *options: str) -> None:
        """Load new files, build the models and run their data tests."""
        load_domain(self.domain, self.settings)
        self.run_dbt(*options)

    def run_dbt(self, *options: str) -> None:
        """Build the models and run their data tests.

        dbt writes its manifest, which takes as long as several models, only with the option `--write-json`.
        """
        select = ["--select", *selectors(self.domain), "--exclude", UNIT_TESTS]
        run_dbt(["build", "--no-write-json", *select, *options], self.settings)

    def run_unit_tests(self) -> None:
        """Run the unit tests of the domain's models."""
        run_dbt(["test", "--select", f"{UNIT_TESTS},tag:{self.domain}"], self.settings)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the warehouse."""
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def contents(self, exclude: str = EXCEPT) -> dict[str, list[tuple[Any, ...]]]:
        """Return the sorted rows of every table and view that dbt builds for the domain."""
        columns = self.query(
            "select table_schema || '.' || table_name, "
            f"string_agg(column_name, ', ' order by ordinal_position) filter (not list_contains(string_split('{exclude}', ' '), column_name)) "
            "from information_schema.columns where table_schema in ('clean', 'curated', 'marts') group by all order by all"
        )
        return {table: self.query(f"select {names} from {table} order by all") for table, names in columns}

    def assert_equal_to_full_refresh(self) -> None:
        """Assert that the tables as they were built incrementally are those that a full refresh builds.

        So is their lineage. The last build was with `--write-json`.
        """
        contents, lineage = self.contents(), self.lineage()
        self.run_dbt("--full-refresh", "--write-json")
        assert differing(self.contents(), contents) == []
        assert self.lineage() == lineage

    def lineage(self) -> dict[str, Table]:
        """Return the tables of the last build with `--write-json`, with their lineage."""
        manifest = Manifest(json.loads((self.settings.dbt_target / "manifest.json").read_text()))
        assert any(node.get("compiled_code") for node in manifest.nodes.values())
        lineage, problems = resolve_models(manifest, self.domain, manifest.adapter, {})
        assert problems == []
        return dict(lineage.tables)

    def assert_row_status(self, delivery: Delivery) -> None:
        """Assert the status of every line of a sample delivery, counted in the tables and in the audit mart."""
        for part in delivery.parts:
            name = f"{self.domain}__{part.entity}"
            statuses = dict(
                self.query(f"select row_status, count(*) from clean.validated_{name} group by row_status")
            )
            assert statuses.get("valid", 0) == part.clean
            assert statuses.get("superseded", 0) == part.superseded
            assert statuses.get("quarantined", 0) == part.quarantined
            rejected = f"select count(*) from raw_{self.domain}.rejected_lines where entity = '{part.entity}'"
            assert self.query(rejected) == [(part.rejected,)]
            assert self.by_rule(part.entity) == {rule: count for rule, count in part.by_rule.items() if count}
        sums = (
            "sum(rows_read), sum(rows_clean), sum(rows_quarantined), sum(rows_superseded), sum(rows_rejected)"
        )
        assert self.query(f"select {sums} from marts.audit_{self.domain}__row_counts") == [
            (delivery.lines, delivery.clean, delivery.quarantined, delivery.superseded, delivery.rejected)
        ]

    def by_rule(self, entity: str) -> dict[str, int]:
        """Return the number of quarantined rows per failed rule."""
        rules = f"select unnest(string_split(_failed_rules, ',')) as rule from clean.quarantine_{self.domain}__{entity}"
        return dict(self.query(f"select rule, count(*) from ({rules}) group by rule"))
