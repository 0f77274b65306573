"""What the task `find_changes` has found, for the tasks after it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestration.steps import Kind

if TYPE_CHECKING:  # the parsing of DAGs does without DuckDB
    from transformation.changes import Changes

# Where the task leaves it.
CHANGES = "changes"


def found_changes(context: Mapping[str, Any]) -> "Changes | None":
    """Return what `find_changes` has found in a run; None if it did not run, as in a part of a DAG."""
    from transformation.changes import Changes

    found = context["ti"].xcom_pull(task_ids=Kind.FIND_CHANGES, key=CHANGES)
    return Changes.from_dict(found) if found else None
