"""What is known of the tables of a lineage: description, types, rows, tests and how fresh they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

import settings as project_settings
from dashboard.published import ask_if_published, domains, published_at
from lineage.models import table_name
from publishing.store import store_of
from settings import PLATFORM
from transformation.manifest import SHARED, read_manifest, row_counts_mart

# The last result of each test, and the last build of each model.
_TESTS = """
select tested_model, state, count(*) as tests from (
    select tested_model, state from marts.fct_test_results
    qualify row_number() over (partition by test order by tested_at desc) = 1
) group by all
"""
_BUILT = "select model_name, max(ended_at) as built_at from marts.fct_model_runs where state = 'success' group by all"
_LOADED = "select entity, sum(rows_read)::bigint as rows, max(loaded_at) as loaded_at from marts.{mart} group by all"


@dataclass
class Facts:
    """What is known of a table; a value that is not known is None or empty."""

    description: str = ""
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)  # type and description
    rows: int | None = None
    tests: int = 0
    failed_tests: int = 0
    fresh_at: pd.Timestamp | None = None

    @property
    def tested(self) -> str:
        """The last result of the tests, for people."""
        if not self.tests:
            return ""
        return (
            f"✖ {self.failed_tests} of {self.tests} failed" if self.failed_tests else f"✔ {self.tests} passed"
        )


def facts_of(tables: Iterable[str]) -> dict[str, Facts]:
    """Return the facts of some tables by name."""
    settings = project_settings.load()
    found = {name: Facts() for name in tables}
    if settings.manifest.exists():
        manifest = read_manifest(settings.manifest)
        for node in [*manifest.nodes.values(), *manifest.sources.values()]:
            if node["resource_type"] in ("model", "seed", "source") and table_name(node) in found:
                facts = found[table_name(node)]
                facts.description = " ".join(node["description"].split())
                kind = "text" if node["resource_type"] == "source" else ""
                for column, values in node["columns"].items():
                    text = " ".join(values["description"].split())
                    facts.columns[column] = (values.get("data_type") or kind, text)
        own = {table_name(node): node for node in manifest.nodes.values() if node["resource_type"] == "model"}
        _published(found, {name: {*node["tags"]} - {SHARED} for name, node in own.items()})
    _loaded(found)
    _tested(found)
    return found


def _published(found: Mapping[str, Facts], tags: Mapping[str, set[str]]) -> None:
    settings = project_settings.load()
    for domain in {tag for name in found if name.startswith("marts.") for tag in tags.get(name, ())}:
        if active := store_of(domain, settings).active():
            for table, stats in active.tables.items():
                if facts := found.get(f"marts.{table}"):
                    facts.rows = stats.rows
                    facts.fresh_at = pd.Timestamp(published_at(domain))
                    for column, kind in stats.columns.items():
                        facts.columns[column] = (kind.lower(), facts.columns.get(column, ("", ""))[1])


def _loaded(found: Mapping[str, Facts]) -> None:
    for domain in domains():
        if domain not in PLATFORM and any(name.startswith(f"raw_{domain}.") for name in found):
            for row in ask_if_published(domain, _LOADED.format(mart=row_counts_mart(domain))).itertuples():
                if facts := found.get(f"raw_{domain}.{row.entity}"):
                    facts.rows, facts.fresh_at = int(row.rows), row.loaded_at


def _tested(found: Mapping[str, Facts]) -> None:
    by_name = {name.partition(".")[2]: facts for name, facts in found.items()}
    for row in ask_if_published("health", _TESTS).itertuples():
        if facts := by_name.get(row.tested_model):
            facts.tests += row.tests
            facts.failed_tests += 0 if row.state == "success" else row.tests
    for row in ask_if_published("health", _BUILT).itertuples():
        facts = by_name.get(row.model_name)
        if facts and facts.fresh_at is None:
            facts.fresh_at = row.built_at
