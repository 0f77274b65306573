"""The tasks around the dbt models that the DAGs of all domains share; what they do is in `operations.elt`."""

from collections.abc import Iterable

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import XComArg, chain, task
from airflow.sdk.exceptions import AirflowFailException
from cosmos.constants import PRODUCER_WATCHER_TASK_ID
from pipeline import published, waiting

import settings

_SETTINGS = settings.load()


def ingest(domain: str, entity: str, task_id: str | None = None) -> XComArg:
    """Add the task that loads one entity of the domain; a bad file fails it for good."""

    @task(task_id=task_id or f"ingest_{entity}", **waiting("ingest"))
    def load(*, run_id: str | None = None) -> dict:
        """Load what was delivered since the last run."""
        from ingestion.load import FilesFailedError
        from operations.elt import ingest

        try:
            return ingest(domain, run_id, _SETTINGS, entity).to_dict()
        except FilesFailedError as error:
            raise AirflowFailException(error) from error

    return load()


def publish(domain: str) -> XComArg:
    """Add the task that publishes the domain's marts."""

    @task(task_id="publish", outlets=[published(domain)], **waiting("publish"))
    def publish_marts(*, run_id: str | None = None, params: dict | None = None) -> dict:
        """Swap in the new marts, which passed every test."""
        from operations.elt import publish
        from operations.publish import PublishError

        accept = params["accept_quarantine"]
        try:
            return publish(domain, run_id, _SETTINGS, accept_quarantine=accept).to_dict()
        except PublishError as error:
            raise AirflowFailException(error) from error

    return publish_marts()


def notify(domain: str) -> XComArg:
    """Add the task that says that the domain is published; with it the run succeeds."""

    @task(task_id="notify")
    def say() -> None:
        """Say that the marts are new."""
        print(f"{domain} is published")

    return say()


def write_reports(domain: str) -> XComArg:
    """Add the task that writes the domain's reports."""

    # It reads what is published and waits for nobody; a second look is enough.
    @task(task_id="write_reports", retries=1)
    def write(*, run_id: str | None = None) -> list[str]:
        """Write the reports from the published marts."""
        from operations.elt import write_reports

        return [str(path) for path in write_reports(domain, run_id, _SETTINGS)]

    return write()


def record_run(domain: str, after: Iterable[XComArg]) -> None:
    """Add the task that brings the run's metrics into the warehouse when `after` has ended, however it ended.

    Whether the run succeeds is not for the metrics to say: not by their success, since they come after
    a failure too, nor by their failure, since the next run makes up for it.
    """

    @task(task_id="record_run", trigger_rule="all_done", **waiting("record"))
    def record_metrics(*, run_id: str | None = None, ti=None) -> None:
        """Bring the metrics of this run's stages into the warehouse."""
        from operations.metrics import record

        states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id])[run_id]
        # The models say whether the build failed.
        failed = [
            name for name, state in states.items() if state == "failed" and name != PRODUCER_WATCHER_TASK_ID
        ]
        record(domain, _SETTINGS, run_id, failed=sorted(failed))

    ended = EmptyOperator(task_id="run_ended", trigger_rule="all_done")
    chain(list(after), record_metrics(), ended)
