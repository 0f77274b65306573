"""The task of a dbt model: it watches the build, and builds its model itself when it is tried again."""

import logging
import re

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from cosmos.constants import PRODUCER_WATCHER_TASK_ID
from cosmos.operators._watcher.base import BaseConsumerSensor
from cosmos.operators._watcher.state import get_dbt_event_xcom_key

import settings as project_settings
from dag_factory.changes import found_changes
from transformation.build_owner import record_build_owner
from transformation.dbt import ensure_manifest
from transformation.manifest import read_manifest

# Errors of SQL, Jinja or values, as dbt, DuckDB and PostgreSQL name them. Those of files, connections, locks and memory
# may be over at the next try.
FINAL_ERROR = re.compile(
    r"\b(Compilation|Binder|Catalog|Parser|Conversion|Constraint|Invalid Input|Mismatch Type|Out of Range) Error\b"
    r"|\bsyntax error at or near\b|\b(column|relation|function|schema|type) .+ does not exist\b"
    r"|\binvalid input syntax\b|\bviolates .+ constraint\b|\bdivision by zero\b|\bThis model has an enforced contract\b"
)

log = logging.getLogger(__name__)


def watch(context: dict) -> None:
    """Let a model's task say what dbt says of the model, and run dbt itself at every try but the first.

    It fails for good where a second try would fail again. A model that is no longer there fails: Cosmos would let it poll a build that has ended without the model for ever; and
    in a retry, it would watch the producer as long as that runs. In a run that was cleared it would read what the producer's
    first try has said, and take an old table for the new one.
    """
    task = context["task"]
    node = task.extra_context["dbt_node_config"]
    # One line for each look at the build.
    logging.getLogger(BaseConsumerSensor.__module__).addFilter(_is_no_poke)
    if not (project_settings.DBT_PROJECT_DIR / node["original_file_path"]).exists():
        raise _missing(node, f"{node['original_file_path']} does not exist")

    def find_status(producer_state: str | None, try_number: int, context: dict) -> bool:
        if producer_state in ("success", "skipped") and _is_unchanged(node, context):
            # A person has cleared the task.
            return build(context)
        if producer_state == "success":
            raise _missing(node, "the build has ended without it")
        if producer_state in ("failed", "skipped"):
            _check_exists(node)
        return no_status(producer_state, try_number, context)

    def build(context: dict) -> bool:
        _check_exists(node)
        record_build_owner(context["dag"].dag_id, context["run_id"], project_settings.load())
        task.build_and_run_cmd(
            context, cmd_flags=[*task.add_cmd_flags(), "--select", task.task_id.rpartition(".")[2]]
        )
        return True

    def poke(context: dict) -> bool:
        try:
            done = first_poke(context)
        except AirflowSkipException:
            raise
        except AirflowException as error:
            message = _said(node, context)
            if is_final(message):
                raise AirflowFailException(f"{node['name']} would fail again: {message}") from error
            raise
        if done:
            log.info("%s is built: %s", node["name"], _said(node, context) or "by this task")
            log.info("compiled SQL:\n%s", getattr(task, "compiled_sql", "") or "none")
        return done

    if context["ti"].try_number > 1:
        task.poke = build
    else:
        no_status = task._handle_no_dbt_node_status
        task._handle_no_dbt_node_status = find_status
        first_poke = task.poke
        task.poke = poke


def _is_no_poke(record: logging.LogRecord) -> bool:
    return "poke attempt" not in str(record.msg)


def _said(node: dict, context: dict) -> str:
    """Return dbt's last message about a node in this build, with its times; empty if there is none."""
    key = get_dbt_event_xcom_key(node["unique_id"])
    event = context["ti"].xcom_pull(task_ids=PRODUCER_WATCHER_TASK_ID, key=key)
    if not isinstance(event, dict) or not event.get("msg"):
        return ""
    times = " to ".join(filter(None, [event.get("start_time"), event.get("finish_time")]))
    return f"{event['msg']} ({times} UTC)" if times else str(event["msg"])


def is_final(message: str) -> bool:
    """Return whether an error of dbt or a database is one of the SQL, which a second try would meet again."""
    return bool(FINAL_ERROR.search(message))


def _check_exists(node: dict) -> None:
    """Fail if the project has no such model: dbt would select nothing, and succeed."""
    own = project_settings.load()
    ensure_manifest(own)
    if node["unique_id"] not in read_manifest(own.manifest).nodes:
        raise _missing(node, "dbt does not know it")


def _missing(node: dict, reason: str) -> AirflowFailException:
    return AirflowFailException(
        f"the {node['resource_type']} {node['name']} is not in this build: {reason}. It was renamed, removed or disabled"
        " after the DAG of this run was read; the next run has the models of the project."
    )


def _is_unchanged(node: dict, context: dict) -> bool:
    found = found_changes(context)
    return found is not None and node["unique_id"] in found.unchanged
