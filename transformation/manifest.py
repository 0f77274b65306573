"""The names of dbt models that Python reads, and the facts that it takes from dbt's manifest.

No other module names a dbt model of the core. There are two kinds of facts:

- Names of the models that every domain has. dbt's macros build and find the models by the same names
  (`macros/audit/model_names.sql`), so readers of the warehouse or of a published file need no manifest.
  `tests/dbt_project/test_project_rules.py` checks that every domain has these models.
- Facts that differ between domains, declared in the YAML of the domain: `Manifest.marts`, `Manifest.reports`,
  `Manifest.costs` and `Manifest.alerts`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

# The domain of the dimensions that every domain publishes with its own marts.
SHARED = "shared"
MARTS = "marts"
FILE_NAME = re.compile(r"[A-Za-z0-9_-]+")


class ManifestError(RuntimeError):
    """The manifest cannot be read, or lacks what a domain needs; the message names the file or the model."""


def row_counts_mart(domain: str) -> str:
    """Return the name of the mart with the row counts of each input file of a domain."""
    return f"audit_{domain}__row_counts"


def failed_rules_mart(domain: str) -> str:
    """Return the name of the mart with the rules that quarantined rows of a domain fail."""
    return f"audit_{domain}__failed_rules"


def quarantine_model(domain: str, entity: str) -> str:
    """Return the name of the model with the quarantined rows of an entity, in the schema `clean`."""
    return f"quarantine_{domain}__{entity}"


@dataclass(frozen=True)
class Report:
    """A mart that is also written as a CSV file, by `config: meta: {report: {file: …, order_by: […]}}`.

    Attributes:
        file: name of the file, without date and suffix.
        mart: name of the mart.
        order_by: columns that order the rows.
    """

    file: str
    mart: str
    order_by: tuple[str, ...]


@dataclass(frozen=True)
class Costs:
    """A mart with what a domain spends, by `config: meta: {costs: {day: …, usd: …}}`.

    Attributes:
        mart: name of the mart.
        day: its column with the day (UTC).
        usd: its column with US dollars.
    """

    mart: str
    day: str
    usd: str


class Manifest:
    """The part of dbt's manifest that the platform reads."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    @property
    def invocation_id(self) -> str | None:
        """The invocation of dbt that wrote the manifest."""
        return self._content.get("metadata", {}).get("invocation_id")

    @property
    def adapter(self) -> str:
        """dbt's adapter: duckdb, postgres or spark."""
        return self._content["metadata"]["adapter_type"]

    @property
    def dbt_version(self) -> str:
        """The version of dbt that wrote the manifest."""
        return self._content["metadata"]["dbt_version"]

    @property
    def macros(self) -> Mapping[str, dict[str, Any]]:
        """All macros, those of dbt included, by their unique id."""
        return self._content.get("macros", {})

    @property
    def nodes(self) -> Mapping[str, dict[str, Any]]:
        """Models, seeds and tests by their unique id."""
        return self._content["nodes"]

    @property
    def sources(self) -> Mapping[str, dict[str, Any]]:
        """Raw tables that models read, by their unique id."""
        return self._content.get("sources", {})

    @property
    def exposures(self) -> Mapping[str, dict[str, Any]]:
        """What reads marts outside dbt, by its unique id."""
        return self._content.get("exposures", {})

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The domains that publish marts, sorted."""
        tags = {tag for node in self._all_marts.values() for tag in node["tags"]}
        return tuple(sorted(tags - {SHARED}))

    def marts(self, domain: str) -> dict[str, dict[str, Any]]:
        """Return the models that a domain publishes, by unique id: its own marts and the shared ones.

        Raises:
            ManifestError: the domain has no mart of its own.
        """
        if not self._own_marts(domain):
            raise ManifestError(f"dbt has no mart with the tag {domain!r}; add it in dbt_project.yml")
        return {
            unique_id: node
            for unique_id, node in self._all_marts.items()
            if {domain, SHARED} & set(node["tags"])
        }

    @cached_property
    def readers(self) -> Mapping[str, list[str]]:
        """What reads each node or source, by unique id."""
        found: dict[str, list[str]] = {}
        for unique_id, node in self.nodes.items():
            for parent in node["depends_on"].get("nodes", []):
                found.setdefault(parent, []).append(unique_id)
        return found

    @cached_property
    def generic_tests(self) -> dict[str, list[dict[str, Any]]]:
        """Return the `test_metadata` of the generic tests of each model, by the model's unique id."""
        found: dict[str, list[dict[str, Any]]] = {}
        for node in self.nodes.values():
            if node.get("attached_node") and node.get("test_metadata"):
                found.setdefault(node["attached_node"], []).append(node["test_metadata"])
        return found

    def tested_model(self, unique_id: str) -> str | None:
        """Return the name of the model that a generic test is attached to."""
        return (self.nodes.get(unique_id, {}).get("attached_node") or "").rpartition(".")[2] or None

    def reports(self, domain: str) -> tuple[Report, ...]:
        """Return the reports of a domain, in the order of their files.

        Raises:
            ManifestError: a report has no file or no order, or its file is not a plain name.
        """
        found = []
        for node, report in self._with_meta(domain, "report"):
            match report:
                case {"file": str(file), "order_by": [*columns]} if FILE_NAME.fullmatch(file) and columns:
                    found.append(Report(file, node["alias"], tuple(columns)))
                case _:
                    raise ManifestError(
                        f"config.meta.report of the model {node['name']} must be {{file: <name>, order_by: [<column>, …]}},"
                        f" and the name may have letters, digits, - and _; it is {report}"
                    )
        return tuple(sorted(found, key=lambda report: report.file))

    def costs(self, domain: str) -> tuple[Costs, ...]:
        """Return the marts that say what a domain spends.

        Raises:
            ManifestError: such a mart does not name its columns.
        """
        found = []
        for node, costs in self._with_meta(domain, "costs"):
            if not costs.get("day") or not costs.get("usd"):
                raise ManifestError(f"config.meta.costs of the model {node['name']} needs day and usd")
            found.append(Costs(node["alias"], costs["day"], costs["usd"]))
        return tuple(found)

    def alerts(self, domain: str) -> Mapping[str, Any]:
        """Return the alert limits of a domain, from `config: meta: {alerts: …}` of its dbt group."""
        return self.group_meta(domain).get("alerts") or {}

    def group_meta(self, group: str) -> Mapping[str, Any]:
        """Return `config: meta:` of a group; empty if there is no such group."""
        found = [each.get("config", {}).get("meta") for each in self._groups if each["name"] == group]
        return (found[0] if found else None) or {}

    def owner(self, group: str) -> str:
        """Return who owns a group; empty if there is no such group."""
        names = [each["owner"]["name"] for each in self._groups if each["name"] == group]
        return names[0] if names else ""

    def exposures_of(self, domain: str) -> dict[str, dict[str, Any]]:
        """Return what reads a domain's marts, by name: what is published, reports and pages."""
        # Its folder is the domain's, see `transformation.exposures`.
        return {node["name"]: node for node in self.exposures.values() if node["fqn"][2] == domain}

    @property
    def metrics(self) -> Mapping[str, dict[str, Any]]:
        """Metrics of the semantic layer, by their unique id."""
        return self._content.get("metrics", {})

    @property
    def semantic_models(self) -> Mapping[str, dict[str, Any]]:
        """What metrics are computed from, by its unique id."""
        return self._content.get("semantic_models", {})

    @property
    def _groups(self) -> Iterable[dict[str, Any]]:
        return self._content.get("groups", {}).values()

    @cached_property
    def _all_marts(self) -> dict[str, dict[str, Any]]:
        return {
            unique_id: node
            for unique_id, node in self.nodes.items()
            if node["resource_type"] == "model" and node["schema"] == MARTS
        }

    def _own_marts(self, domain: str) -> list[dict[str, Any]]:
        return [node for node in self._all_marts.values() if domain in node["tags"]]

    def _with_meta(self, domain: str, key: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        found = [(node, (node["config"].get("meta") or {}).get(key)) for node in self._own_marts(domain)]
        return [(node, value) for node, value in found if value]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest, at most once per process as long as the file does not change.

    Raises:
        ManifestError: the file is missing, or is not a manifest.
    """
    try:
        found = path.stat()
        return _read(path, (found.st_mtime_ns, found.st_ino, found.st_size))
    except (OSError, ValueError) as error:
        raise ManifestError(
            f"dbt's manifest {path} cannot be read: {error}. `dbt parse` in dbt_project/ writes it."
        ) from error


@lru_cache(maxsize=4)
def _read(path: Path, _version: tuple[int, ...]) -> Manifest:
    return Manifest(json.loads(path.read_text()))
