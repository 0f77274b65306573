"""Results of dbt commands, kept in files until `observability.health.collect` moves them into the warehouse."""

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from common.atomic_write import atomic_write
from lineage.artefact import write_lineage
from observability.metrics.run_log import without_secrets
from settings import Settings
from transformation.results import RESULTS, read_run_results

log = logging.getLogger(__name__)
# A dbt command can reuse what another one has parsed.
PARSED = ("partial_parse.msgpack", "manifest.json")
MESSAGE_LENGTH = 500


@contextmanager
def keep_results(domain: str, run_id: str, settings: Settings) -> Iterator[dict[str, str]]:
    """Keep the results of the dbt command that the block runs, even if it fails.

    Yields the variables of that command: dbt writes into a target folder of the domain, because another domain may be
    built at the same time.
    """
    target = settings.dbt_target / "domains" / domain
    target.mkdir(parents=True, exist_ok=True)
    _copy_parsed(settings.dbt_target, target)
    (target / RESULTS).unlink(missing_ok=True)  # of the previous command
    try:
        yield {"DBT_TARGET_PATH": str(target)}
    finally:
        save_results(target, domain, run_id, settings)
        _copy_parsed(target, settings.dbt_target)


def _copy_parsed(source: Path, target: Path) -> None:
    """Copy what dbt has parsed, where it is newer."""
    for name in PARSED:
        old, new = target / name, source / name
        if new.exists() and (not old.exists() or old.stat().st_mtime < new.stat().st_mtime):
            with atomic_write(old) as file:
                shutil.copy2(new, file)


def save_results(target: Path, domain: str, run_id: str, settings: Settings) -> None:
    """Keep the results of a dbt command, if it produced any, and the lineage of the models that it built.

    A failure is only logged.

    Args:
        target: dbt's target folder.
        domain: the pipeline.
        run_id: the run to which the command belongs.
        settings: which data folder and environment.
    """
    try:
        if not (target / RESULTS).exists():
            return
        invocation, results = read_run_results(target)
        rows = [
            {"pipeline": domain, "run_id": run_id, "invocation_id": invocation, **_row(result)}
            for result in results
        ]
        settings.dbt_results.mkdir(parents=True, exist_ok=True)
        with atomic_write(settings.dbt_results / f"{invocation}.json") as file:
            file.write_text(json.dumps(rows))
    except (OSError, ValueError, KeyError) as error:
        log.warning("The results of dbt are not kept: %s", error)
    write_lineage(target, domain, settings)


def _row(result: dict[str, Any]) -> dict[str, Any]:
    steps = {step["name"]: step for step in result["timing"]}
    executed = steps.get("execute") or {}
    message = result.get("message")
    return {
        "unique_id": result["unique_id"],
        "status": result["status"],
        "started_at": executed.get("started_at"),
        "ended_at": executed.get("completed_at"),
        "seconds": result["execution_time"],
        "failures": result.get("failures"),
        "rows_affected": (result.get("adapter_response") or {}).get("rows_affected"),
        "message": without_secrets(str(message))[:MESSAGE_LENGTH] if message else None,
    }


def read_results(path: Path) -> list[dict[str, Any]]:
    """Return the results in a file of `save_results`, with their times parsed."""
    rows = json.loads(path.read_text())
    for row in rows:
        for moment in ("started_at", "ended_at"):
            row[moment] = datetime.fromisoformat(row[moment]) if row[moment] else None
    return rows
