"""The names of libraries that are not public API, and what they are used for.

After an upgrade that takes one away, its test fails and says what has to be done in another way. Some of them would
otherwise be missed in silence: an attribute that is set and never read, an option that nobody looks up.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_airflow.configuration import airflow_environment
from settings import PROJECT_DIR, Settings

# module:name → what it is used for. `name` may be an attribute that a class sets on itself.
PRIVATE = {
    "airflow.executors.local_executor:LocalExecutor._unread_messages": (
        "local_airflow/local_executor.py: see whether a task is queued when the executor ends"
    ),
    "airflow.executors.local_executor:LocalExecutor._read_results": (
        "local_airflow/local_executor.py: read the results of the last tasks when the executor ends"
    ),
    "airflow.executors.local_executor:LocalExecutor.workers": (
        "local_airflow/local_executor.py: see whether a worker has a task, and end workers without one"
    ),
    "cosmos.operators._watcher.base:BaseConsumerSensor.poke": (
        "dags/dag_factory/model_task.py: log what dbt says of the model; replace it in a retried task, which then runs dbt instead of watching"
    ),
    "cosmos.operators._watcher.base:BaseConsumerSensor.model_unique_id": (
        "a watching task knows its model; the retry selects it by the task's id"
    ),
    "cosmos.operators._watcher.base:BaseConsumerSensor._handle_no_dbt_node_status": (
        "dags/dag_factory/model_task.py: fail if the build ends without the model of a task"
    ),
    "cosmos.operators._watcher.base:BaseConsumerSensor.extra_context": "dags/dag_factory/model_task.py: name the model's file",
    "cosmos.operators._watcher.base:BaseConsumerSensor": "dags/dag_factory/model_task.py: silence a line for each look",
    "cosmos.operators._watcher.state:get_dbt_event_xcom_key": (
        "dags/dag_factory/model_task.py: what dbt has said of a model"
    ),
    "cosmos.operators._watcher.base:BaseConsumerSensor._cache_compiled_sql": (
        "dags/dag_factory/model_task.py: log the SQL, which it leaves in `compiled_sql`"
    ),
    "cosmos.operators.local:AbstractDbtLocalBase.build_and_run_cmd": (
        "dags/dag_factory/model_task.py: run dbt for one model in a retried task"
    ),
    "cosmos.operators.base:AbstractDbtBase.add_cmd_flags": (
        "dags/dag_factory/model_task.py: pass --full-refresh to the dbt command of a retried task"
    ),
    "cosmos.operators.local:AbstractDbtLocalBase.cache_dir": (
        "dags/dag_factory/dbt.py: let all DAGs and the shell share what dbt has parsed"
    ),
    "cosmos.converter:DbtToAirflowConverter.tasks_map": (
        "dags/dag_factory/dbt.py: let the tests run after a failed build whose models were repaired"
    ),
    "cosmos.constants:PRODUCER_WATCHER_DONE_TASK_ID": "dags/dag_factory/dbt.py: the same",
    "cosmos.constants:PRODUCER_WATCHER_TASK_ID": "dags/dag_factory/tasks.py: name the models of a failed build",
    "dlt.common.normalizers.naming.snake_case:NamingConvention.normalize_identifier": (
        "ingestion and warehouse/postgres.py: name columns and tables as dlt does"
    ),
    "fsspec.implementations.sftp:SFTPFileSystem._connect": (
        "ingestion/extract/sftp.py: connect only to a server whose key is known, and with limits of time"
    ),
    "dlt.common.configuration.plugins:hookimpl": (
        "warehouse/dlt_context.py: mark the hook that gives dlt its run context (its plugin interface)"
    ),
    "dlt.common.configuration.providers:ConfigProvider": "warehouse/dlt_context.py: a source of configuration",
    "dlt.common.configuration.providers:EnvironProvider": "warehouse/dlt_context.py: the only one that dlt gets",
    "dlt.common.runtime.run_context:RunContext.initial_providers": "warehouse/dlt_context.py: the same",
    "dlt.common.destination:Destination": "warehouse: the type of dlt's destinations",
    "dlt.common.destination:PreparedTableSchema": "warehouse/postgres_dlt.py: the type of a table that is loaded",
    "dlt.common.destination.client:HasFollowupJobs": "warehouse/postgres_dlt.py: a load job of our own",
    "dlt.common.destination.client:LoadJob": "warehouse/postgres_dlt.py: the same",
    "dlt.common.destination.client:RunnableLoadJob": "warehouse/postgres_dlt.py: the same",
    "dlt.common.destination.client:RunnableLoadJob._job_client": (
        "warehouse/postgres_dlt.py: copy a file into its table by the connection of the load"
    ),
    "dlt.common.destination.client:RunnableLoadJob._file_path": "warehouse/postgres_dlt.py: the same",
    "dlt.common.storages.load_package:ParsedLoadJobFileName": (
        "warehouse/postgres_dlt.py: tell files that our own job copies from others"
    ),
    "dlt.destinations.impl.duckdb.duck:DuckDbClient.create_load_job": (
        "warehouse/duckdb_dlt.py: add the id of the load while a Parquet file is copied"
    ),
    "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run": "warehouse/duckdb_dlt.py: the same",
    "dlt.destinations.impl.postgres.configuration:PostgresCredentials": "warehouse/postgres_dlt.py: connect in UTC",
    "dlt.destinations.impl.postgres.postgres:PostgresClient.create_load_job": (
        "warehouse/postgres_dlt.py: copy files of rows as text, which is faster than dlt's inserts"
    ),
    "dlt.extract:DltResource": "ingestion and observability: the type of a resource",
    "dlt.pipeline.exceptions:PipelineStepFailed": "ingestion and observability: tell why a load failed",
    "dbt.adapters.duckdb.plugins:BasePlugin.update_connection_config": (
        "warehouse/dbt_plugin.py: create the folder of the warehouse before dbt connects"
    ),
    "dbt.adapters.duckdb.credentials:DuckDBCredentials.path": "warehouse/dbt_plugin.py: the same",
    "dbt.adapters.factory:FACTORY.adapters": "tests/parsed.py: copy what dbt has parsed into other data folders",
    "dbt.parser.manifest:ManifestLoader.build_manifest_state_check": "tests/parsed.py: the same",
}
# What these modules have is public only as far as the libraries' documentation names it.
INTERNAL = re.compile(
    r"((?!airflow\.__main__).*\._.*|cosmos\.(airflow|cache|converter|core|dbt)\b.*|dbt\.(?!cli\.main\b).*|dlt\.(common|extract|pipeline|"
    r"destinations\.impl|load|normalize)\b.*|airflow\.(models|serialization|dag_processing|jobs|executors)\b.*)"
)
PRODUCT = [
    "backup",
    "cli",
    "common",
    "dags",
    "dashboard",
    "ingestion",
    "lineage",
    "local_airflow",
    "observability",
    "orchestration",
    "publishing",
    "quality",
    "samples",
    "settings",
    "transformation",
    "warehouse",
]


@pytest.mark.parametrize("name", PRIVATE)
def test_it_is_there(name: str) -> None:
    module, _, path = name.partition(":")
    owner: Any = importlib.import_module(module)
    for part in path.split("."):
        assert has(owner, part), f"{name} is gone; it was used for this: {PRIVATE[name]}"
        owner = getattr(owner, part, None)


def has(owner: Any, name: str) -> bool:
    """Whether an object has an attribute, or a class sets it on its instances."""
    if hasattr(owner, name):
        return True
    classes = inspect.getmro(owner if inspect.isclass(owner) else type(owner))[:-1]
    return any(
        re.search(rf"\bself\.{name}\b[^=\n]*= |^    {name}: ", inspect.getsource(each), re.M)
        for each in classes
    )


def test_no_other_internal_module_is_imported() -> None:
    found = {
        name: file
        for folder in PRODUCT
        for file in (PROJECT_DIR / folder).rglob("*.py")
        for name in imports(file)
    }
    internal = {
        name: str(file.relative_to(PROJECT_DIR)) for name, file in found.items() if INTERNAL.fullmatch(name)
    }
    listed = {name.replace(":", ".") for name in PRIVATE} | {"airflow.executors.local_executor"}
    known = {name for name in internal if any(f"{each}.".startswith(f"{name}.") for each in listed)}
    assert {name: file for name, file in internal.items() if name not in known} == {}


def imports(file: Path) -> Iterator[str]:
    """The names that a file imports, each with its module."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_airflow_and_cosmos_know_every_option_that_is_set(settings: Settings) -> None:
    import cosmos.plugin.airflow3
    import cosmos.settings
    from airflow.configuration import conf

    known = {
        f"AIRFLOW__{section}__{option}".upper()
        for section, content in conf.configuration_description.items()
        for option in content["options"]
    }
    looked_up = re.findall(
        r'conf\.get\w*\(\s*"cosmos",\s*"(\w+)"',
        inspect.getsource(cosmos.settings) + inspect.getsource(cosmos.plugin.airflow3),
    )
    known |= {f"AIRFLOW__COSMOS__{option}".upper() for option in looked_up}
    own = {name for name in airflow_environment(settings) if name.startswith("AIRFLOW__")}
    assert own - known == set()
