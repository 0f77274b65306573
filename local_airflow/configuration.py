"""The configuration of Airflow, on one machine and in a deployment, as AIRFLOW__ variables."""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from cryptography.fernet import Fernet

from local_airflow.deployed import deployed
from local_airflow.processes import FIRST_PORT
from settings import PROJECT_DIR, AirflowAccess, Settings

USERNAME = "admin"
PASSWORDS_FILE = "simple_auth_manager_passwords.json"
SECRETS_FILE = "secrets.json"
# Watching tasks take the cores from the one process that builds. On two cores, 60 models of 1M rows and 120 tests took
# 26 to 27 s with two watchers, 25 to 26 s with three, 27 to 43 s with four, 39 to 55 s with six.
WATCHERS_BESIDE_CORES = 1
# With more cores a DAG has no more of them: each is a process, and one build does the work. On 16 cores Airflow kept 148
# processes, on 32 they took 7.7 GB.
MOST_CORES = 4
# Slots beside those of the watchers, so that watchers never fill the executor: for builds, other tasks, and workers whose
# task has just ended.
OTHER_TASKS = 12
# How long a process waits for another one that writes to Airflow's SQLite; after 5 s by default it fails.
LOCK_SECONDS = 60


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def watchers(settings: Settings) -> int:
    """Return how many watching tasks of a DAG may run at once."""
    return settings.model_tasks or min(cores(), MOST_CORES) + WATCHERS_BESIDE_CORES


def parallelism(settings: Settings) -> int:
    """Return how many tasks of all DAGs may run at once."""
    return watchers(settings) * len(dag_names()) + OTHER_TASKS


def dag_names() -> list[str]:
    """Return the ids of the DAGs in dags/: one per file, with the file's name."""
    folder = PROJECT_DIR / "dags"
    ignored = (folder / ".airflowignore").read_text().split()
    return sorted(file.stem for file in folder.glob("*.py") if file.name not in ignored)


def pools(dags: Iterable[str], settings: Settings) -> list[dict]:
    """Return the pools of the DAGs, as the REST API takes them.

    Each DAG has its own pool of watchers: otherwise the watchers of a DAG whose build waits for the warehouse would take
    all slots from the DAG whose build has it.

    Args:
        dags: ids of the DAGs.
        settings: how many tasks may write to the warehouse, and watch models, at once.
    """
    one = "DuckDB takes one writing process."
    writer = {
        "name": "warehouse_writer",
        "slots": settings.writers,
        "description": one if settings.writers == 1 else "One writer per domain.",
    }
    return [writer] + [
        {
            "name": f"dbt_watchers_{dag}",
            "slots": watchers(settings),
            "description": f"Watching tasks of {dag}.",
        }
        for dag in dags
    ]


def credentials(settings: Settings) -> dict[str, str]:
    """Return the keys and the password of an Airflow on this machine.

    The first call generates them, into a file in Airflow's home that only this user can read.
    """
    path = settings.airflow_home / SECRETS_FILE
    if not path.exists():
        made = {
            "fernet_key": Fernet.generate_key().decode(),
            "jwt_secret": secrets.token_urlsafe(48),
            "secret_key": secrets.token_urlsafe(48),
            "password": secrets.token_urlsafe(12),
        }
        _write_private(path, json.dumps(made))
    return json.loads(path.read_text())


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    # Another service may read it at this moment.
    if path.read_text() != text:
        path.write_text(text)


def airflow_environment(settings: Settings, port: int = FIRST_PORT) -> dict[str, str]:
    """Return the whole environment of Airflow's processes.

    Args:
        settings: the data folder and environment, and the deployment if there is one.
        port: the api-server's port on loopback; a deployment has its own.

    Raises:
        SettingsError: a variable is for a domain that does not exist.
    """
    settings.check_domain_variables()
    deployment = settings.deployment
    access, own = (
        deployed(settings, parallelism(settings)) if deployment else _on_this_machine(settings, port)
    )
    home = settings.airflow_home
    _write_private(home / PASSWORDS_FILE, json.dumps({access.username: access.password.get_secret_value()}))
    docs = {"sluice": {"dir": str(settings.dbt_target), "index": "index.html", "name": "dbt docs"}}
    options = {
        "CORE__DAGS_FOLDER": PROJECT_DIR / "dags",
        "CORE__PLUGINS_FOLDER": PROJECT_DIR / "local_airflow" / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        # It would leave out files without the word "airflow"; .airflowignore says what is no DAG.
        "CORE__DAG_DISCOVERY_SAFE_MODE": False,
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": True,
        # A broker replaces it, see `deployed`.
        "CORE__EXECUTOR": "local_airflow.local_executor.LocalExecutor",
        "CORE__PARALLELISM": parallelism(settings),
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": watchers(settings) + OTHER_TASKS,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{access.username}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / PASSWORDS_FILE,
        "CORE__EXECUTION_API_SERVER_URL": f"{access.url}/execution/",
        "API__HOST": settings.airflow_host,
        # So that one page has every task of a run.
        "API__MAXIMUM_PAGE_LIMIT": 1000,
        # A task waits for the next loop of the scheduler: half a second on average with the default of 1 s, in each
        # layer of models. On two cores 0.2 s saved no time and took a fifth more CPU.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
        # Seconds after which another scheduler adopts the tasks of one that died; 300 by default.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 30,
        # Seconds without a heartbeat after which a task counts as dead; 300 by default, for unstable networks.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 30,
        # Seconds after which a file that has not changed is read again. On this machine `sluice airflow start` has files
        # read again when that changes something, see LocalAirflow.follow; every 30 s took a tenth of a core.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 30 if deployment else 600,
        # A worker that misses the end of its task looks again after this time: 5 s by default, which half of all
        # tasks had to wait.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        # After 5 s by default a call to a busy api-server is repeated; a starting task is then told that it runs
        # already, and fails.
        "WORKERS__EXECUTION_API_TIMEOUT": 30,
        "LOGGING__BASE_LOG_FOLDER": home / "logs",
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": home / "logs" / "dag_processor",
        "LOGGING__COLORED_CONSOLE_LOG": False,
        "COSMOS__CACHE_DIR": settings.data_dir / "dbt" / "cosmos",
        "COSMOS__DBT_DOCS_PROJECTS": json.dumps(docs),
        # Folders of the same name in different layers are groups of their own.
        "COSMOS__ENABLE_HIERARCHICAL_NAMING_FOR_GROUP_NODES_BY_FOLDER": True,
        # A task imports the operators that it needs, not all of Cosmos.
        "COSMOS__ENABLE_MEMORY_OPTIMISED_IMPORTS": True,
        # It would hash the whole dbt project at every task start; a changed model changes the DAG anyway.
        "COSMOS__ENABLE_DAG_VERSIONING": False,
        # The producer is never retried, so a second try needs no backup.
        "COSMOS__ENABLE_WATCHER_RELIABLE_RETRY": False,
    }
    options |= own
    environment = {
        **os.environ,
        **settings.environment(),
        # So that a task can read the history of runs.
        **access.environment(),
        "AIRFLOW_HOME": str(home),
    }
    # Several dbt commands may run at once under Airflow; each has its own folder for artifacts.
    environment.pop("DBT_TARGET_PATH", None)
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(PROJECT_DIR), os.environ.get("PYTHONPATH", "")])
    )
    variables = {f"AIRFLOW__{name}": str(value) for name, value in options.items()}
    # An operator may set any option of a deployment. On this machine such variables belong to another Airflow.
    kept = environment.keys() & variables if deployment else ()
    return environment | {name: value for name, value in variables.items() if name not in kept}


def _on_this_machine(settings: Settings, port: int) -> tuple[AirflowAccess, dict[str, str | int]]:
    """Return the access to Airflow's API, and the options for one user on this machine."""
    keys = credentials(settings)
    url = f"http://127.0.0.1:{port}"
    return AirflowAccess(url=url, username=USERNAME, password=keys["password"]), {
        "CORE__FERNET_KEY": keys["fernet_key"],
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{settings.airflow_home / 'airflow.db'}?timeout={LOCK_SECONDS}",
        "API__PORT": port,
        "API__BASE_URL": url,
        "API__SECRET_KEY": keys["secret_key"],
        "API_AUTH__JWT_SECRET": keys["jwt_secret"],
    }
