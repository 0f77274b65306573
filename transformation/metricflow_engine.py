"""MetricFlow on the marts of a published version."""

import json
from typing import TYPE_CHECKING, Any

from transformation.manifest import MARTS, Manifest

if TYPE_CHECKING:
    from metricflow.engine.metricflow_engine import MetricFlowEngine


def make_engine(manifest: Manifest) -> "MetricFlowEngine":
    """Return MetricFlow on what dbt's `semantic_manifest.json` has, with the marts of whatever database is open."""
    # Imported only by who asks for a metric: it takes half a second.
    from metricflow.engine.metricflow_engine import MetricFlowEngine
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    class Renderer:
        """What MetricFlow asks of its client when it only writes SQL."""

        sql_engine_type = SqlEngine.DUCKDB
        sql_plan_renderer = DuckDbSqlPlanRenderer()

    content = {
        "semantic_models": [
            model | {"node_relation": _relation(model["node_relation"]["alias"])}
            for model in manifest.semantic_models.values()
        ],
        "metrics": [*manifest.metrics.values()],
        "project_configuration": {"time_spine_table_configurations": [], "time_spines": _spines(manifest)},
    }
    found = parse_manifest_from_dbt_generated_manifest(json.dumps(content))
    return MetricFlowEngine(SemanticManifestLookup(found), Renderer())  # type: ignore[arg-type]


def _spines(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        {
            "node_relation": _relation(node["alias"]),
            "primary_column": {
                "name": spine["standard_granularity_column"],
                "time_granularity": node["columns"][spine["standard_granularity_column"]]["granularity"],
            },
            "custom_granularities": [],
        }
        for node in manifest.nodes.values()
        if (spine := node.get("time_spine"))
    ]


def _relation(mart: str) -> dict[str, str]:
    return {"alias": mart, "schema_name": MARTS, "relation_name": f"{MARTS}.{mart}"}
