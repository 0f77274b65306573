"""The datasets of events, with what is known about them: columns, description, owner, and where each column comes from.

The names are those of `lineage`, the same on every machine and engine: `raw_shop.orders`, `marts.fct_orders`,
`landing/shop/orders`, `api/shop/products`; and `published/shop/fct_orders`, `reports/…`, `pages/…`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    documentation_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
)

from lineage.graph import Table
from lineage.models import table_name
from transformation.manifest import MARTS, Manifest

PUBLISHED = "published"


def published_name(domain: str, mart: str) -> str:
    """Return the name of a mart as readers see it."""
    return f"{PUBLISHED}/{domain}/{mart}"


def exposure_name(exposure: str) -> str:
    """Return the name of what a domain shows outside the warehouse, such as `pages/taxi` for `page_taxi`."""
    kind, _, rest = exposure.partition("_")
    return f"{kind}s/{rest}"


def exposed(exposure: Mapping[str, Any], domain: str) -> list[str]:
    """Return the names of the published marts that an exposure reads."""
    marts = [unique_id.rpartition(".")[2] for unique_id in exposure["depends_on"]["nodes"]]
    return [published_name(domain, mart) for mart in marts]


class Datasets:
    """Makes the datasets of the events of one run.

    Args:
        namespace: of all of them.
        manifest: describes them.
        tables: the lineage of their columns, by table; empty if it is unknown.
    """

    def __init__(self, namespace: str, manifest: Manifest, tables: Mapping[str, Table]) -> None:
        self._namespace = namespace
        self._manifest = manifest
        self._tables = tables
        self._described = {
            table_name(node): node
            for node in (*manifest.nodes.values(), *manifest.sources.values())
            if node["resource_type"] in ("model", "seed", "source")
        } | {exposure_name(node["name"]): node for node in manifest.exposures.values()}

    def read(
        self, name: str, assertions: Sequence[data_quality_assertions_dataset.Assertion] = ()
    ) -> InputDataset:
        """Return a dataset that is read, with the results of the tests of it."""
        found = InputDataset(self._namespace, name, facets=self._facets(name))
        if assertions:
            facet = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet([*assertions])
            found.inputFacets = {"dataQualityAssertions": facet}
        return found

    def written(self, name: str, rows: int | None = None) -> OutputDataset:
        """Return a dataset that is written, with its number of rows if that is known."""
        facets = self._facets(name)
        if lineage := self._column_lineage(name):
            facets["columnLineage"] = lineage
        found = OutputDataset(self._namespace, name, facets=facets)
        if rows is not None:
            statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
            found.outputFacets = {"outputStatistics": statistics}
        return found

    def _facets(self, name: str) -> dict[str, DatasetFacet]:
        node = self._described.get(_table_of(name), {})
        known = self._tables.get(_table_of(name), Table(name, ""))
        facets: dict[str, DatasetFacet] = {}
        described = node.get("columns") or {}
        if columns := list(described) or list(known.columns):
            facets["schema"] = schema_dataset.SchemaDatasetFacet(
                [
                    schema_dataset.SchemaDatasetFacetFields(
                        column,
                        type=described.get(column, {}).get("data_type"),
                        description=described.get(column, {}).get("description") or None,
                    )
                    for column in columns
                ]
            )
        if text := node.get("description"):
            facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(text)
        if owner := self._owner(node):
            facets["ownership"] = ownership_dataset.OwnershipDatasetFacet([ownership_dataset.Owner(owner)])
        return facets

    def _owner(self, node: Mapping[str, Any]) -> str:
        if "owner" in node:  # of an exposure
            return node["owner"]["name"]
        # A raw table belongs to the domain that loads it.
        return self._manifest.owner(node.get("group") or node.get("schema", "").removeprefix("raw_"))

    def _column_lineage(self, name: str) -> column_lineage_dataset.ColumnLineageDatasetFacet | None:
        table = self._tables.get(_table_of(name))
        if table is None:
            return None
        if table.name != name:  # what is published is a copy
            fields = {
                column: [self._field(f"{table.name}.{column}", "DIRECT", "IDENTITY")]
                for column in table.columns
            }
            rows = []
        else:
            fields = {
                column: [
                    self._field(source, "DIRECT", "TRANSFORMATION" if found.expression else "IDENTITY")
                    for source in found.sources
                ]
                for column, found in table.columns.items()
                if found.sources
            }
            rows = [self._field(source, "INDIRECT") for source in table.rows]
        if not fields and not rows:
            return None
        return column_lineage_dataset.ColumnLineageDatasetFacet(
            {column: column_lineage_dataset.Fields(sources) for column, sources in fields.items()}, rows
        )

    def _field(self, source: str, kind: str, subtype: str | None = None) -> column_lineage_dataset.InputField:
        table, _, column = source.rpartition(".")
        transformation = column_lineage_dataset.Transformation(kind, subtype)
        return column_lineage_dataset.InputField(self._namespace, table, column, [transformation])


def _table_of(name: str) -> str:
    """Return the table whose columns a dataset has."""
    return f"{MARTS}.{name.rpartition('/')[2]}" if name.startswith(f"{PUBLISHED}/") else name
