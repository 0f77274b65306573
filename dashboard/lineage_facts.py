"""What is known of the tables of a lineage: description, types, rows, tests and how fresh they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

import settings as project_settings
from dashboard.published import names, published_at
from lineage.models import table_name
from publishing.store import store_of
from transformation.manifest import Manifest, read_manifest


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


def facts_of(
    tables: Iterable[str], tests: pd.DataFrame, built: pd.DataFrame, loaded: Mapping[str, pd.DataFrame]
) -> dict[str, Facts]:
    """Return the facts of some tables by name.

    Args:
        tables: their names.
        tests: the number of tests by `tested_model` and `state`.
        built: when each model was built last, `model_name` and `built_at`.
        loaded: of each domain the rows of each entity, `entity`, `rows` and `loaded_at`.
    """
    settings = project_settings.load()
    found = {name: Facts() for name in tables}
    if settings.manifest.exists():
        _described(found, read_manifest(settings.manifest))
    for domain in names():
        _published(found, domain)
        for row in loaded.get(domain, pd.DataFrame()).itertuples():
            if facts := found.get(f"raw_{domain}.{row.entity}"):
                facts.rows, facts.fresh_at = int(row.rows), row.loaded_at
    by_name = {name.partition(".")[2]: facts for name, facts in found.items()}
    for row in tests.itertuples():
        if facts := by_name.get(row.tested_model):
            facts.tests += row.tests
            facts.failed_tests += 0 if row.state == "success" else row.tests
    for row in built.itertuples():
        facts = by_name.get(row.model_name)
        if facts and facts.fresh_at is None:
            facts.fresh_at = row.built_at
    return found


def _described(found: Mapping[str, Facts], manifest: Manifest) -> None:
    """Add descriptions, and the types that dbt knows; a raw column is text if it has none."""
    for node in [*manifest.nodes.values(), *manifest.sources.values()]:
        if node["resource_type"] in ("model", "seed", "source") and table_name(node) in found:
            facts = found[table_name(node)]
            facts.description = " ".join(node["description"].split())
            kind = "text" if node["resource_type"] == "source" else ""
            for column, values in node["columns"].items():
                text = " ".join(values["description"].split())
                facts.columns[column] = (values.get("data_type") or kind, text)


def _published(found: Mapping[str, Facts], domain: str) -> None:
    """Add the rows and types of the published version."""
    settings = project_settings.load()
    if any(name.startswith("marts.") for name in found) and (active := store_of(domain, settings).active()):
        for table, stats in active.tables.items():
            if facts := found.get(f"marts.{table}"):
                facts.rows = stats.rows
                facts.fresh_at = pd.Timestamp(published_at(domain))
                for column, kind in stats.columns.items():
                    facts.columns[column] = (kind.lower(), facts.columns.get(column, ("", ""))[1])
