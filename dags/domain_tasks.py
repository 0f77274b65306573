"""The tasks around the dbt models that the DAGs of all domains share; what they do is in `orchestration.run`."""

from collections.abc import Callable, Iterable
from urllib.parse import quote

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import XComArg, chain, get_current_context, task, task_group
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from cosmos.constants import PRODUCER_WATCHER_TASK_ID
from dag_factory import PARAMS, published, waiting

import settings

_SETTINGS = settings.load()


def ingest(domain: str, entity: str, task_id: str | None = None) -> XComArg:
    """Add the task that loads one entity of the domain; a bad file fails it for good."""

    @task(task_id=task_id or f"ingest_{entity}", **waiting("ingest"))
    def load(*, run_id: str | None = None) -> dict:
        """Load what was delivered since the last run."""
        return _ingest(domain, entity, run_id)

    return load()


def _ingest(domain: str, entity: str, run_id: str, **part: str) -> dict:
    from ingestion.results import FilesFailedError
    from orchestration.run import ingest

    try:
        summary = ingest(domain, run_id, _SETTINGS, entity, **part)
    except FilesFailedError as error:
        raise AirflowFailException(error) from error
    left = {file.reason for file in summary.results if file.status == "deferred"}
    if left and len(left) == len(summary.results):
        raise AirflowSkipException("; ".join(sorted(left)))
    return summary.to_dict()


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
        from ingestion.download.download import DownloadError
        from ingestion.download.partition import NothingToLoadError, fetch
        from ingestion.registry import UnknownPartitionError

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

    load = _ingest_part(domain, entity, "month")

    @task_group(group_id="months_of_files", prefix_group_id=False)
    def each(month: str) -> None:
        load(download(month))

    loaded = _any_loaded("months", entity, tasks=[f"download_{entity}", f"ingest_{entity}", "months"])
    each.expand(month=months_of_run()) >> loaded
    return loaded


def ingest_files(domain: str, entity: str, api: str) -> XComArg:
    """Add the tasks that load the files that have arrived, each in a task of its own, and one entity of an API.

    Without a new file there is nothing to do, unless an earlier run could not publish what it had loaded, or the
    parameters ask for something.

    Args:
        domain: the pipeline.
        entity: the entity that comes in files.
        api: the entity that comes from an API.

    Returns:
        The task that follows them, which fails if all of them failed and is skipped if there was nothing to load.
    """

    @task(task_id="files")
    def files_of_run() -> list[str]:
        """List the complete files; of more than Airflow maps, only the first ones, and the next run has the rest."""
        from ingestion.load import complete_files

        return complete_files(domain, _SETTINGS)[: conf.getint("core", "max_map_length")]

    @task(task_id=f"ingest_{api}", **waiting("ingest"))
    def load_api(files: list[str], *, run_id: str | None = None, params: dict | None = None) -> dict:
        """Load what is new or changed."""
        if not files and not has_manual_params(params):
            raise AirflowSkipException("no file has arrived")
        return _ingest(domain, api, run_id)

    def is_unfinished() -> bool:
        from publishing.published_check import has_all

        return not has_all(domain, _SETTINGS)

    files = files_of_run()
    each = _ingest_part(domain, entity, "file").expand(part=files)
    loaded = _any_loaded("files", entity, tasks=["files", f"ingest_{entity}"], anyhow=is_unfinished)
    [each, load_api(files)] >> loaded
    return loaded


def _ingest_part(domain: str, entity: str, what: str) -> Callable:
    """The task that loads one part of an entity, a month or a file; it is mapped over the parts."""

    @task(task_id=f"ingest_{entity}", map_index_template="{{ part }}", **waiting("ingest"))
    def load(part: str, *, run_id: str | None = None) -> dict:
        """Load one part, in place of what was loaded of it before."""
        get_current_context()["part"] = part
        return _ingest(domain, entity, run_id, **{what: part})

    return load


def _any_loaded(
    parts: str, entity: str, tasks: list[str], anyhow: Callable[[], bool] = lambda: False
) -> XComArg:
    """Add the task after which the run goes on with the parts that were loaded.

    Args:
        parts: what the parts are called, for messages and the task's id.
        entity: the entity that is loaded.
        tasks: the tasks of which a failure means that there was something to load.
        anyhow: whether to go on even if there was nothing to load.
    """

    # Not `all_done_min_one_success`, which skips the rest as soon as one part is skipped.
    @task(task_id=f"{parts}_loaded", trigger_rule="all_done", retries=0)
    def any_loaded(*, run_id: str | None = None, ti=None, params: dict | None = None) -> None:
        """Go on if something was loaded; otherwise fail if something failed, or skip the rest."""
        states = ti.get_task_states(dag_id=ti.dag_id, task_ids=tasks, run_ids=[run_id])[run_id]
        if "success" in [state for name, state in states.items() if name.startswith(f"ingest_{entity}")]:
            return
        if {"failed", "upstream_failed"} & set(states.values()):
            raise AirflowFailException(f"of the {parts} none could be loaded")
        if not (anyhow() or has_manual_params(params)):
            raise AirflowSkipException(f"there are no new {parts}")

    return any_loaded()


def has_manual_params(params: dict) -> bool:
    """Whether the parameters of a run ask for work on what has been loaded already."""
    return any(params[name] for name in PARAMS)


def publish(domain: str) -> XComArg:
    """Add the task that publishes the domain's marts."""

    @task(task_id="publish", outlets=[published(domain)], **waiting("publish"))
    def publish_marts(*, run_id: str | None = None, params: dict | None = None) -> dict:
        """Swap in the new marts, which passed every test; what another run has built since is for that run to publish."""
        from orchestration.run import publish
        from publishing.errors import PublishStoppedError, SupersededRunError

        try:
            return publish(domain, run_id, _SETTINGS, force_publish=params["accept"]).to_dict()
        except SupersededRunError as error:
            raise AirflowSkipException(error) from error
        except PublishStoppedError as error:
            raise AirflowFailException(error) from error

    return publish_marts()


def write_reports(domain: str) -> XComArg:
    """Add the task that writes the domain's reports."""

    # It reads what is published and waits for nobody; a second look is enough.
    @task(task_id="write_reports", retries=1)
    def write(*, run_id: str | None = None) -> list[str]:
        """Write the reports from the published marts."""
        from orchestration.run import write_reports

        return [str(path) for path in write_reports(domain, run_id, _SETTINGS)]

    return write()


def end_run(domain: str, published: XComArg, after: Iterable[XComArg]) -> None:
    """Add what comes at the end of every run, however it ended: the message about it, and its metrics.

    `published` alone decides whether the run succeeds. These tasks do not: they also run after a failure, and the
    data does not depend on them.

    Args:
        domain: the pipeline.
        published: the task that publishes.
        after: the last tasks of the run, among them `published` or what follows it.
    """

    # Before the metrics, which wait for the warehouse. Not retried, so that no message is sent twice.
    @task(task_id="notify", trigger_rule="all_done", retries=0)
    def say(*, run_id: str | None = None, ti=None) -> None:
        """Tell people how the run ended, if the settings say so."""
        from observability.metrics.record import run_result
        from observability.notify import notify

        ended = run_result(domain, run_id, _SETTINGS, failed=_failed_tasks(ti, run_id))
        run_page = f"{conf.get('api', 'base_url').rstrip('/')}/dags/{domain}/runs/{quote(run_id)}"
        print(notify(ended, _SETTINGS, links={"Airflow": run_page}))

    @task(task_id="record_run", trigger_rule="all_done", **waiting("record"))
    def record_metrics(*, run_id: str | None = None, ti=None) -> None:
        """Bring the metrics of this run's stages into the warehouse."""
        from observability.metrics.record import record

        record(domain, _SETTINGS, run_id, failed=_failed_tasks(ti, run_id))

    # The two leaves of the DAG, by which Airflow decides whether the run succeeded.
    published >> EmptyOperator(task_id="published_marker")
    ended = EmptyOperator(task_id="run_finished", trigger_rule="all_done")
    chain(list(after), say(), record_metrics(), ended)


def _failed_tasks(ti, run_id: str) -> list[str]:
    """The tasks of a run that failed; a failed build is named by its models, not by the producer."""
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[run_id])[run_id]
    return sorted(
        name for name, state in states.items() if state == "failed" and name != PRODUCER_WATCHER_TASK_ID
    )
