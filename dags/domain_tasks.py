"""The tasks around the dbt models that the DAGs of all domains share; what they do is in `operations.elt`."""

from collections.abc import Iterable

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import XComArg, chain, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from cosmos.constants import PRODUCER_WATCHER_TASK_ID
from pipeline import published, waiting

import settings

_SETTINGS = settings.load()


def ingest(domain: str, entity: str, task_id: str | None = None) -> XComArg:
    """Add the task that loads one entity of the domain; a bad file fails it for good."""

    @task(task_id=task_id or f"ingest_{entity}", **waiting("ingest"))
    def load(*, run_id: str | None = None) -> dict:
        """Load what was delivered since the last run."""
        return _ingest(domain, entity, run_id)

    return load()


def _ingest(domain: str, entity: str, run_id: str, month: str | None = None) -> dict:
    from ingestion.load import FilesFailedError
    from operations.elt import ingest

    try:
        return ingest(domain, run_id, _SETTINGS, entity, month=month).to_dict()
    except FilesFailedError as error:
        raise AirflowFailException(error) from error


def ingest_months(domain: str, entity: str) -> XComArg:
    """Add the tasks that fetch and load the months of a run, each month apart from the others.

    Fetching and loading are two tasks, so that a retry of one does not do the other again. A month that is
    not out yet is skipped, and one that fails leaves the others to go on.

    Returns:
        The task that comes when all of them have ended, and that fails or is skipped if none is loaded.
    """

    @task(task_id="months")
    def months_of_run(*, params: dict | None = None, dag_run=None, data_interval_start=None) -> list[str]:
        """Say which months: that of the interval, or of a manual run those asked for, or all in landing."""
        from ingestion.load import partitions_of

        if dag_run.run_type != "manual":
            return [data_interval_start.strftime("%Y-%m")]
        return params["months"] or partitions_of(domain, _SETTINGS)

    @task(task_id=f"download_{entity}")
    def download(month: str) -> str:
        """Fetch the month's file, unless it is there."""
        from ingestion.feeds import UnknownPartitionError
        from ingestion.fetch import NothingToLoadError, fetch
        from ingestion.web.download import DownloadError

        try:
            fetched = fetch(domain, month, _SETTINGS)
        except NothingToLoadError as error:
            raise AirflowSkipException(error) from error
        except UnknownPartitionError as error:
            raise AirflowFailException(error) from error
        except DownloadError as error:
            # Without the chain of causes, in which a URL may stand with its credentials.
            raise AirflowException(str(error)) from None
        print(f"{fetched.name}: {fetched.status}")
        return month

    @task(task_id=f"ingest_{entity}", map_index_template="{{ month }}", **waiting("ingest"))
    def load(month: str, *, run_id: str | None = None) -> dict:
        """Load the month's file, in place of what was loaded for the month before."""
        get_current_context()["month"] = month
        return _ingest(domain, entity, run_id, month=month)

    @task_group(group_id="months_of_files", prefix_group_id=False)
    def each(month: str) -> None:
        load(download(month))

    # Not `all_done_min_one_success`, for which one month that is skipped is reason to skip the rest.
    @task(task_id="months_loaded", trigger_rule="all_done", retries=0)
    def any_loaded(*, run_id: str | None = None, ti=None) -> None:
        """Go on with the months that are loaded: fail if all failed, skip if there is none."""
        tasks = [f"download_{entity}", f"ingest_{entity}", "months"]
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=tasks, run_ids=[run_id])[run_id]
        loads = [state for name, state in states.items() if name.startswith(f"ingest_{entity}")]
        if "success" in loads:
            return
        if {"failed", "upstream_failed"} & set(states.values()):
            raise AirflowFailException("no month could be loaded")
        raise AirflowSkipException("no month is out")

    loaded = any_loaded()
    each.expand(month=months_of_run()) >> loaded
    return loaded


def publish(domain: str) -> XComArg:
    """Add the task that publishes the domain's marts."""

    @task(task_id="publish", outlets=[published(domain)], **waiting("publish"))
    def publish_marts(*, run_id: str | None = None, params: dict | None = None) -> dict:
        """Swap in the new marts, which passed every test."""
        from operations.elt import publish
        from operations.publishing.errors import PublishStoppedError

        try:
            return publish(domain, run_id, _SETTINGS, accept=params["accept"]).to_dict()
        except PublishStoppedError as error:
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
