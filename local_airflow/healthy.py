"""Health checks of the services of a deployment.

    python -m local_airflow.healthy airflow URL scheduler|triggerer|dag_processor|metadatabase
    python -m local_airflow.healthy worker NAME

`airflow jobs check` and Celery's `inspect ping` with Airflow's application take seconds of CPU per check; these take
less than one.
"""

import json
import sys
from urllib.request import urlopen


def airflow(url: str, part: str) -> bool:
    """Return whether the api-server at `url` reports a component of Airflow as healthy."""
    with urlopen(f"{url}/api/v2/monitor/health", timeout=10) as answer:
        return json.load(answer)[part]["status"] == "healthy"


def worker(name: str) -> bool:
    """Return whether a Celery worker answers."""
    from celery import Celery

    import settings
    from local_airflow.deployed import broker_url

    with Celery(broker=broker_url(settings.load().deployment)) as application:
        return bool(application.control.inspect([name], timeout=5).ping())


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    sys.exit(not (airflow(*arguments) if kind == "airflow" else worker(*arguments)))
