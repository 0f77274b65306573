"""Emits the lineage of a run: from its metrics, the results of dbt, dbt's manifest and the lineage of the columns."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

from lineage.artefact import LineageError, read_lineage
from lineage.graph import Table
from observability.metrics.dbt_results import read_results
from observability.metrics.record import RunResult
from publishing.errors import PublishError
from publishing.store import store_of
from settings import Settings
from transformation.manifest import read_manifest
from warehouse import WarehouseError

log = logging.getLogger(__name__)


def emit(result: RunResult, settings: Settings) -> None:
    """Send the lineage of a run that has ended, if `SLUICE_OPENLINEAGE_URL` is set; nothing of a skipped run.

    Raises nothing: a warning says what was not sent.

    Args:
        result: the run.
        settings: the receiver, the data folder and the environment.
    """
    if not settings.openlineage or result.status == "skipped":
        return
    try:
        # Imported now: a run without a receiver does not wait for it.
        from observability.openlineage.datasets import Datasets
        from observability.openlineage.dbt_parts import dbt_parts
        from observability.openlineage.events import events_of
        from observability.openlineage.send import send
        from observability.openlineage.stage_parts import stage_parts

        namespace = f"sluice://{settings.env}"
        manifest = read_manifest(settings.manifest)
        datasets = Datasets(namespace, manifest, _lineage(result.domain, settings))
        rows = _rows(result, settings)
        parts = [
            *stage_parts(result, manifest, datasets, rows),
            *dbt_parts(_results(result, settings), manifest, datasets, rows),
        ]
        send([*events_of(result, parts, manifest, datasets, namespace)], settings.openlineage)
    # A defect here must not fail a run that has published. The text of an error may contain a secret.
    except Exception as error:
        log.warning("SLUICE_OPENLINEAGE_URL: the lineage of the run is not sent: %s", type(error).__name__)


def _lineage(domain: str, settings: Settings) -> Mapping[str, Table]:
    try:
        return read_lineage(settings.lineage(domain)).tables
    except LineageError:
        return {}


def _rows(result: RunResult, settings: Settings) -> dict[str, int]:
    """Return the rows of each mart that the run has published; empty if it has not."""
    try:
        versions = store_of(result.domain, settings).versions()
    except (OSError, duckdb.Error, PublishError, WarehouseError):  # its server may be why the run failed
        return {}
    if not versions or versions[-1].facts["run_id"] != result.run_id:
        return {}
    return {name: stats.rows for name, stats in versions[-1].tables.items()}


def _results(result: RunResult, settings: Settings) -> list[dict[str, Any]]:
    """Return the results of the run's dbt commands, in their order; those that `health` has collected are gone."""
    found = []
    for path in settings.dbt_results.glob("*.json"):
        started_at = result.run["started_at"]
        if started_at and datetime.fromtimestamp(path.stat().st_mtime, started_at.tzinfo) >= started_at:
            rows = read_results(path)
            if rows and (rows[0]["pipeline"], rows[0]["run_id"]) == (result.domain, result.run_id):
                found.append((path.stat().st_mtime, rows))
    return [row for _, rows in sorted(found, key=lambda each: each[0]) for row in rows]
