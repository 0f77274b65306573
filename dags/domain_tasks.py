"""The tasks around the dbt models that the DAGs of all domains share; what they do is in `operations.elt`."""

from collections.abc import Iterable
from urllib.parse import quote

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import XComArg, chain, get_current_context, task, task_group
from airflow.sdk.configuration import conf
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


def write_reports(domain: str) -> XComArg:
    """Add the task that writes the domain's reports."""

    # It reads what is published and waits for nobody; a second look is enough.
    @task(task_id="write_reports", retries=1)
    def write(*, run_id: str | None = None) -> list[str]:
        """Write the reports from the published marts."""
        from operations.elt import write_reports

        return [str(path) for path in write_reports(domain, run_id, _SETTINGS)]

    return write()


def end_run(domain: str, published: XComArg, after: Iterable[XComArg]) -> None:
    """Add what comes at a run's end, however it ended: the message about it, and its metrics.

    Whether the run succeeds is for `published` to say, and not for these: not by their success, since they
    come after a failure too, nor by their failure, since the data does not depend on them.

    Args:
        domain: the pipeline.
        published: the task that publishes.
        after: the tasks that come last, `published` or what follows it among them.
    """

    # Before the metrics, which wait for the warehouse. Not retried: a message that is out does not come back.
    @task(task_id="notify", trigger_rule="all_done", retries=0)
    def say(*, run_id: str | None = None, ti=None) -> None:
        """Tell people how the run ended, if they want to know."""
        from operations.metrics import outcome
        from operations.notify import notify

        ended = outcome(domain, run_id, _SETTINGS, failed=_failed_tasks(ti, run_id))
        run_page = f"{conf.get('api', 'base_url').rstrip('/')}/dags/{domain}/runs/{quote(run_id)}"
        print(notify(ended, _SETTINGS, links={"Airflow": run_page}))

    @task(task_id="record_run", trigger_rule="all_done", **waiting("record"))
    def record_metrics(*, run_id: str | None = None, ti=None) -> None:
        """Bring the metrics of this run's stages into the warehouse."""
        from operations.metrics import record

        record(domain, _SETTINGS, run_id, failed=_failed_tasks(ti, run_id))

    # The two leaves of the DAG, by which Airflow says whether the run has succeeded.
    published >> EmptyOperator(task_id="is_published")
    ended = EmptyOperator(task_id="run_ended", trigger_rule="all_done")
    chain(list(after), say(), record_metrics(), ended)


def _failed_tasks(ti, run_id: str) -> list[str]:
    """Tasks of a run that failed; of its build the models say so."""
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id])[run_id]
    return sorted(
        name for name, state in states.items() if state == "failed" and name != PRODUCER_WATCHER_TASK_ID
    )
