"""A run of a domain `things` that only records its stages: `python -m … RUN_ID [failing stage]`."""

import sys

import settings
from observability.metrics.run_log import stage


def run(run_id: str, failing: str = "") -> None:
    where = settings.load()
    for name, counts in {"ingest_a": (10, 8, 2), "build": (None,) * 3, "publish": (10, 5, 1)}.items():
        with stage("things", run_id, name, where) as metrics:
            metrics.rows_in, metrics.rows_out, metrics.rows_failed = counts
            if name == failing:
                raise RuntimeError(f"{name} does not work")
    from observability.metrics.record import record  # slow to import

    record("things", where, run_id)


if __name__ == "__main__":
    run(*sys.argv[1:])
