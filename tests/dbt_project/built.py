"""A domain's deliveries in a data folder of their own, and what was built from them."""

from pathlib import Path
from typing import Any

import duckdb

from ingestion.load import load_domain
from samples.delivery import Delivery
from settings import Settings
from tests.forks import run_dbt
from tests.parsed import Parsed
from transformation.dbt import UNIT_TESTS, selectors

#: What tells two builds of the same rows apart.
EXCEPT = "_rules_hash _validated_at _built_at _source_built_at"


class Built:
    """One domain, to which a test delivers and which it builds as often as it likes."""

    def __init__(self, domain: str, data_dir: Path, project: Parsed) -> None:
        self.domain = domain
        self.settings = project.put(Settings(data_dir=data_dir, env="dev"))
        self.landing = self.settings.landing(domain)

    def deliver(self, name: str, *lines: str) -> None:
        """Put a CSV file into landing, its first line the header."""
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))

    def build(self, *options: str) -> None:
        """Load what is new, build the models and run their data tests."""
        load_domain(self.domain, self.settings)
        self.run_dbt(*options)

    def run_dbt(self, *options: str) -> None:
        """Build the models and run their data tests."""
        select = ["--select", *selectors(self.domain), "--exclude", UNIT_TESTS]
        run_dbt(["build", *select, *options], self.settings)

    def run_unit_tests(self) -> None:
        """Run the unit tests of the domain's models."""
        run_dbt(["test", "--select", f"{UNIT_TESTS},tag:{self.domain}"], self.settings)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query on the warehouse."""
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def contents(self, exclude: str = EXCEPT) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of everything that dbt builds for the domain, in an order of their own."""
        columns = self.query(
            "select table_schema || '.' || table_name, "
            f"string_agg(column_name, ', ' order by ordinal_position) filter (not list_contains(string_split('{exclude}', ' '), column_name)) "
            "from information_schema.columns where table_schema in ('clean', 'curated', 'marts') group by all order by all"
        )
        return {table: self.query(f"select {names} from {table} order by all") for table, names in columns}

    def assert_fates(self, delivery: Delivery) -> None:
        """Every line of a delivery of samples has met its row_status, counted where the rows lie, and is accounted for."""
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
        """Number of quarantined rows by the rule that they break."""
        rules = f"select unnest(string_split(_failed_rules, ',')) as rule from clean.quarantine_{self.domain}__{entity}"
        return dict(self.query(f"select rule, count(*) from ({rules}) group by rule"))
