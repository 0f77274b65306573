"""What dbt did in each of its runs, kept in files until `operations.health.collect` brings it into the warehouse."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from operations.files.whole_file import whole_file
from operations.metrics.journal import without_secrets
from settings import Settings

RESULTS = "run_results.json"
MESSAGE_LENGTH = 500


@contextmanager
def results_kept(domain: str, run_id: str, settings: Settings) -> Iterator[None]:
    """Keep the results of the dbt command that the block runs, even if it fails."""
    (settings.dbt_target / RESULTS).unlink(missing_ok=True)  # of the command before
    try:
        yield
    finally:
        keep(settings.dbt_target, domain, run_id, settings)


def keep(target: Path, domain: str, run_id: str, settings: Settings) -> None:
    """Keep the results of a dbt command, if it produced any; what goes wrong is only printed.

    Args:
        target: dbt's target folder.
        domain: the pipeline.
        run_id: the run to which the command belongs.
        settings: which data folder and environment.
    """
    try:
        if not (target / RESULTS).exists():
            return
        found = json.loads((target / RESULTS).read_text())
        invocation = found["metadata"]["invocation_id"]
        rows = [
            {"pipeline": domain, "run_id": run_id, "invocation_id": invocation, **_row(result)}
            for result in found["results"]
        ]
        settings.dbt_results.mkdir(parents=True, exist_ok=True)
        with whole_file(settings.dbt_results / f"{invocation}.json") as file:
            file.write_text(json.dumps(rows))
    except (OSError, ValueError, KeyError) as error:
        print(f"dbt's results are not kept: {error}", file=sys.stderr)


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


def read(path: Path) -> list[dict[str, Any]]:
    """The results in a file of `keep`, with their times parsed."""
    rows = json.loads(path.read_text())
    for row in rows:
        for moment in ("started_at", "ended_at"):
            row[moment] = datetime.fromisoformat(row[moment]) if row[moment] else None
    return rows
