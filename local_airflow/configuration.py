"""How Airflow is set up, on one machine and in a deployment.

Everything is set by AIRFLOW__ variables, which win over airflow.cfg.
"""

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
# Watchers take the cores from the one process that builds. On two cores, 60 models of 1M rows and 120
# tests took 26 to 27 s with two watchers, 25 to 26 s with three, 27 to 43 s with four, 39 to 55 s with six.
WATCHERS_BESIDE_CORES = 1
# Room beside the watchers, which so never fill the executor: builds, other tasks, and the workers whose
# task has just ended.
OTHER_TASKS = 12
# How long a process waits for another one that writes to Airflow's SQLite; by default 5 s, after which it fails.
LOCK_SECONDS = 60


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def watchers() -> int:
    """Model tasks of a DAG that may run at once."""
    return cores() + WATCHERS_BESIDE_CORES


def parallelism() -> int:
    """Tasks of all DAGs that may run at once."""
    return watchers() * len(dag_names()) + OTHER_TASKS


def dag_names() -> list[str]:
    """Names of the DAGs in dags/: one in a file, named after it."""
    folder = PROJECT_DIR / "dags"
    ignored = (folder / ".airflowignore").read_text().split()
    return sorted(file.stem for file in folder.glob("*.py") if file.name not in ignored)


def pools(dags: Iterable[str], writers: int = 1) -> list[dict]:
    """Pools of the DAGs, as the REST API takes them; so many tasks may write to the warehouse at once.

    Each DAG has watchers of its own: those of a DAG whose build waits for the warehouse would take
    all the slots from the DAG whose build has it.
    """
    one = "DuckDB lets one process write."
    writer = {
        "name": "warehouse_writer",
        "slots": writers,
        "description": one if writers == 1 else "Each domain has one writer.",
    }
    return [writer] + [
        {"name": f"dbt_watchers_{dag}", "slots": watchers(), "description": f"Model tasks of {dag}."}
        for dag in dags
    ]


def credentials(settings: Settings) -> dict[str, str]:
    """Fernet key, JWT secret, session key and the password of the user, on this machine.

    Made at the first call and kept in Airflow's home for this user's eyes only.
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
    # Another service may be reading it.
    if path.read_text() != text:
        path.write_text(text)


def airflow_environment(settings: Settings, port: int = FIRST_PORT) -> dict[str, str]:
    """The whole environment of Airflow's processes.

    Args:
        settings: which data folder and environment, and which deployment.
        port: of loopback, on which the api-server is; a deployment says itself where it is.

    Raises:
        SettingsError: a variable is for a domain that does not exist.
    """
    settings.check_domain_variables()
    deployment = settings.deployment
    access, own = deployed(settings, parallelism()) if deployment else _on_this_machine(settings, port)
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
        # A broker, if there is one, brings its own.
        "CORE__EXECUTOR": "local_airflow.local_executor.LocalExecutor",
        "CORE__PARALLELISM": parallelism(),
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": watchers() + OTHER_TASKS,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{access.username}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home / PASSWORDS_FILE,
        "CORE__EXECUTION_API_SERVER_URL": f"{access.url}/execution/",
        "API__HOST": settings.airflow_host,
        # One page holds every task of a run.
        "API__MAXIMUM_PAGE_LIMIT": 1000,
        # A task waits for the next round of the scheduler before it starts: half a second on average with the
        # default of 1 s, in each layer of models. On two cores 0.2 s saved no time and took a fifth more of theirs.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.5,
        # The tasks of a scheduler that died go on under another one after this many seconds; 300 by default.
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 30,
        # A run that was cut off goes on after this many seconds without a heartbeat; 300 by default,
        # which is for networks that may be gone for a while.
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 30,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 30,
        # A worker that misses the end of its task looks again after this time: 5 s by default, which
        # half of all tasks met.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": 1,
        # A busy api-server answers late: 5 s by default, after which the call is made again, and a task
        # that starts is told that it runs already, and fails.
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
        # It would hash the whole dbt project at every task start; a change of the models changes the
        # DAG itself.
        "COSMOS__ENABLE_DAG_VERSIONING": False,
        # The producer is never retried, so there is nothing to back up for a second try.
        "COSMOS__ENABLE_WATCHER_RELIABLE_RETRY": False,
    }
    options |= own
    environment = {
        **os.environ,
        **settings.environment(),
        # So that a task can ask for the history of runs.
        **access.environment(),
        "AIRFLOW_HOME": str(home),
    }
    # Several dbt commands may run at once under Airflow; each writes its artifacts to a place of its own.
    environment.pop("DBT_TARGET_PATH", None)
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(PROJECT_DIR), os.environ.get("PYTHONPATH", "")])
    )
    variables = {f"AIRFLOW__{name}": str(value) for name, value in options.items()}
    # Whoever runs a deployment may set any option of Airflow's; on this machine another Airflow's are of no concern.
    kept = environment.keys() & variables if deployment else ()
    return environment | {name: value for name, value in variables.items() if name not in kept}


def _on_this_machine(settings: Settings, port: int) -> tuple[AirflowAccess, dict[str, str | int]]:
    """Where Airflow's API is and who may use it, and the options for one user on this machine."""
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
