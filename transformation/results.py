"""What a dbt command has left in its target folder about each node that it ran."""

import json
from pathlib import Path
from typing import Any

RESULTS = "run_results.json"


def read_run_results(target: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return the id of the last command and its results, one per node; hooks of the project are no nodes.

    Args:
        target: dbt's target folder.

    Raises:
        FileNotFoundError: no command has run a node.
        ValueError, KeyError: the file is damaged.
    """
    found = json.loads((target / RESULTS).read_text())
    results = [result for result in found["results"] if not result["unique_id"].startswith("operation.")]
    return found["metadata"]["invocation_id"], results
