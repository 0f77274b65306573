"""The pools of tasks, and which waiting task has its turn first."""

from typing import Any

# A run that has begun ends before another one begins, so that no domain's models are due, and watched, long before its
# build has its turn. (A watching task has 2.)
PRIORITY = {"health": 5, "ingest": 10, "changes": 15, "build": 20, "test": 30, "publish": 40, "record": 50}


def warehouse_writer(what: str) -> dict[str, Any]:
    """Return the arguments of a task that writes to the warehouse: it waits for its turn, by `PRIORITY`."""
    return {"pool": "warehouse_writer", "priority_weight": PRIORITY[what], "weight_rule": "absolute"}


def watchers(domain: str) -> str:
    """Return the pool of the tasks that watch a domain's build, see `local_airflow.configuration`."""
    return f"dbt_watchers_{domain}"
