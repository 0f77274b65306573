"""Where everything is kept and what is around it, from the environment and `environments.toml`.

`docs/settings.md` lists the variables; `load` reads them all, by the modules beside this one, and checks them.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import get_args

from settings import environments
from settings.deployment import Deployment, read_deployment
from settings.domains import (
    DOWNLOAD_URL_PREFIX,
    SCHEDULE_PREFIX,
    START_PREFIX,
    download_url_of,
    read_by_domain,
    schedule_of,
    start_of,
)
from settings.environments import EVERY_DAG, PROJECT_DIR, Limits, SettingsError
from settings.people import (
    AirflowAccess,
    Mail,
    read_airflow,
    read_dashboard_url,
    read_mail,
    read_notify_success,
    read_webhook_url,
)
from settings.values import number
from settings.warehouse import PostgresServer, SparkServer, read_postgres, read_spark, read_writers

# The profile in profiles.yml.
DBT_PROFILE = "sluice"
# Read by libraries as they are imported; what the environment says already, stands.
LIBRARY_OPTIONS = {
    # No library of the platform reports usage to its vendor.
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "false",
    "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "false",
    # dlt would import Airflow (3 s) to look for its own options among Airflow's variables.
    "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
}


@dataclass(frozen=True)
class Settings:
    """Resolved settings. All paths are absolute."""

    data_dir: Path
    env: str
    target: str = "duckdb"
    # The server of the warehouse; None where it is a DuckDB file.
    postgres: PostgresServer | None = None
    spark: SparkServer | None = None
    warehouse_writers: int = 1
    airflow_host: str = "127.0.0.1"
    memory_limit: str = "2GB"
    schedules: Mapping[str, str] = field(default_factory=dict, hash=False)
    starts: Mapping[str, str] = field(default_factory=dict, hash=False)
    # DAGs that are not paused when Airflow first sees them.
    active_dags: tuple[str, ...] = ()
    catch_up: bool = False
    retries: int = 3
    # Channels by which a failure is told, of those that are configured, and whether a success is, too.
    notify: tuple[str, ...] = ("email", "webhook")
    notify_success: bool = False
    limits: Mapping[str, Limits] = field(default_factory=lambda: environments.read("dev").limits, hash=False)
    # They may hold credentials.
    download_urls: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    # Who has the address may write to the channel.
    webhook_url: str | None = field(default=None, repr=False)
    mail: Mail | None = None
    airflow: AirflowAccess | None = None
    # Of which Airflow's processes are services; None for one on this machine.
    deployment: Deployment | None = None
    # Where people find the dashboard; `make dashboard` serves it there, or on the next free port.
    dashboard_url: str = "http://127.0.0.1:8501"
    file_stable_seconds: float = 10.0

    def schedule(self, domain: str, default: str | None) -> str | None:
        """Schedule of a domain's DAG in this environment: `default` unless it is replaced; None for never."""
        found = self.schedules.get(domain, self.schedules.get(EVERY_DAG, default))
        if found is None or found == "none":
            return None
        return schedule_of(domain, found) if domain in self.schedules else found

    def start(self, domain: str, default: date) -> date:
        """Day from which a domain's DAG has runs in this environment: `default` unless it is replaced."""
        return start_of(domain, self.starts[domain]) if domain in self.starts else default

    def catches_up(self, domain: str) -> bool:
        """Whether the DAG of a domain whose intervals matter has a run for each interval since its first day."""
        return self.catch_up or domain in self.starts

    def download_url(self, domain: str) -> str | None:
        """URL of a domain's monthly files, with `{month}` in it; None if there is none."""
        return download_url_of(domain, self.download_urls)

    def limits_of(self, domain: str) -> Limits:
        """By how much a domain's tables may differ from the published ones."""
        return self.limits.get(domain) or self.limits[EVERY_DAG]

    def landing(self, domain: str) -> Path:
        """Folder into which a domain's input files are delivered."""
        return self.data_dir / "landing" / domain

    def archive(self, domain: str) -> Path:
        """Folder to which a domain's loaded files may be moved."""
        return self.data_dir / "archive" / domain

    def reports(self, domain: str) -> Path:
        """Folder of a domain's reports for people."""
        return self.data_dir / "reports" / domain

    def published(self, domain: str) -> Path:
        """The file that readers open: a domain's marts that passed every test."""
        return (self.spark.lake if self.spark else self.data_dir) / "published" / f"{domain}.duckdb"

    @property
    def warehouse(self) -> Path:
        """The working warehouse of this environment, written by one process at a time; for Spark its raw tables alone."""
        return self.data_dir / "warehouse" / f"{self.warehouse_name}.duckdb"

    @property
    def engine(self) -> str:
        """What the warehouse is: `duckdb`, `postgres` or `spark`."""
        return "postgres" if self.postgres else "spark" if self.spark else "duckdb"

    @property
    def warehouse_name(self) -> str:
        """What tells this environment's warehouse from those of other environments and targets: `dev`, `dev_postgres`."""
        return self.env if self.engine == "duckdb" else f"{self.env}_{self.target}"

    def journal(self, domain: str) -> Path:
        """Folder of the metrics of a domain's runs in this environment that are not in its warehouse yet."""
        return self.data_dir / "journal" / self.warehouse_name / domain

    def builder(self, domain: str) -> Path:
        """File with the id of the run that built a domain's models last in this environment."""
        return self.data_dir / "dbt" / "builders" / self.warehouse_name / domain

    @property
    def dbt_results(self) -> Path:
        """Folder of the results of dbt's runs in this environment that are not in its warehouse yet."""
        return self.data_dir / "dbt" / "results" / self.warehouse_name

    @property
    def dlt_dir(self) -> Path:
        """What dlt keeps between runs: pipeline state and packages under way."""
        return self.data_dir / "dlt"

    @property
    def airflow_home(self) -> Path:
        """Airflow's configuration, metadata database, passwords and logs."""
        return self.data_dir / "airflow"

    @property
    def dbt_target(self) -> Path:
        """dbt's manifest, compiled models and run results for these settings."""
        return self._dbt_dir / "target"

    @property
    def manifest(self) -> Path:
        """dbt's manifest as the DAGs and `publish` read it; replaced whole when the project changes.

        The one in `dbt_target` is rewritten in place by every dbt command, and a task that starts
        at that moment would read half of it.
        """
        return self._dbt_dir / "manifest.json"

    @property
    def _dbt_dir(self) -> Path:
        """What dbt writes; models are another SQL on another engine."""
        return self.data_dir / "dbt" if self.engine == "duckdb" else self.data_dir / "dbt" / self.target

    def environment(self) -> dict[str, str]:
        """Variables that make a child process (dbt, Airflow) use these very settings."""
        return {
            "SLUICE_DATA_DIR": str(self.data_dir),
            "SLUICE_ENV": self.env,
            "SLUICE_TARGET": self.target,
            "SLUICE_AIRFLOW_HOST": self.airflow_host,
            "SLUICE_MEMORY_LIMIT": self.memory_limit,
            **{
                SCHEDULE_PREFIX + domain.upper(): text
                for domain, text in self.schedules.items()
                if domain != EVERY_DAG
            },
            **{START_PREFIX + domain.upper(): day for domain, day in self.starts.items()},
            **{DOWNLOAD_URL_PREFIX + domain.upper(): url for domain, url in self.download_urls.items()},
            **({"SLUICE_NOTIFY_WEBHOOK_URL": self.webhook_url} if self.webhook_url else {}),
            **(self.postgres.environment() if self.postgres else {}),
            **(self.spark.environment() if self.spark else {}),
            **({"SLUICE_WAREHOUSE_WRITERS": str(self.warehouse_writers)} if self.engine != "duckdb" else {}),
            **(self.mail.environment() if self.mail else {}),
            **(self.airflow.environment() if self.airflow else {}),
            **(self.deployment.environment() if self.deployment else {}),
            "SLUICE_DASHBOARD_URL": self.dashboard_url,
            "SLUICE_NOTIFY_SUCCESS": str(int(self.notify_success)),
            "SLUICE_FILE_STABLE_SECONDS": str(self.file_stable_seconds),
            "DBT_PROFILES_DIR": str(PROJECT_DIR),
            # As Cosmos names them: dbt takes what it has parsed for another one's if these differ.
            "DBT_PROFILE": DBT_PROFILE,
            "DBT_TARGET": self.target,
            "DBT_TARGET_PATH": str(self.dbt_target),
            "DBT_LOG_PATH": str(self._dbt_dir / "logs"),
            **{name: os.environ.get(name, value) for name, value in LIBRARY_OPTIONS.items()},
        }


def load(env: str | None = None) -> Settings:
    """Read the environment, and from `environments.toml` what it leaves open.

    Args:
        env: another environment than that of `SLUICE_ENV`, to whose data folder and target the variables
            do not apply.

    Raises:
        SettingsError: a variable or a key of the file has a value that cannot be used.
    """
    own = os.environ.get("SLUICE_ENV") or "dev"
    env = env or own
    chosen = environments.read(env)
    variables = os.environ if env == own else {}
    data_dir = PROJECT_DIR / Path(variables.get("SLUICE_DATA_DIR") or chosen.data_dir).expanduser()
    data_dir = data_dir.resolve()
    if data_dir.exists() and not data_dir.is_dir():
        raise SettingsError(f"SLUICE_DATA_DIR must be a folder, but {data_dir} is a file")
    memory_limit = os.environ.get("SLUICE_MEMORY_LIMIT", "2GB")
    if not re.fullmatch(r"[1-9][0-9]*([.][0-9]+)? ?[KMGT]i?B", memory_limit):
        raise SettingsError(f"SLUICE_MEMORY_LIMIT must be a size such as 2GB or 512MiB, not {memory_limit!r}")
    target = variables.get("SLUICE_TARGET") or chosen.target
    if target not in (targets := get_args(environments.Target)):
        raise SettingsError(f"SLUICE_TARGET must be one of {', '.join(targets)}, not {target!r}")
    return Settings(
        data_dir=data_dir,
        env=env,
        target=target,
        postgres=read_postgres(target),
        spark=read_spark(target, data_dir),
        warehouse_writers=read_writers(target),
        airflow_host=os.environ.get("SLUICE_AIRFLOW_HOST", "127.0.0.1"),
        memory_limit=memory_limit,
        schedules=chosen.schedules | read_by_domain(SCHEDULE_PREFIX),
        starts=read_by_domain(START_PREFIX),
        active_dags=tuple(chosen.active_dags),
        catch_up=chosen.catch_up,
        retries=chosen.retries,
        notify=tuple(chosen.notify),
        notify_success=read_notify_success(chosen.notify_success),
        limits=chosen.limits,
        download_urls=read_by_domain(DOWNLOAD_URL_PREFIX),
        deployment=read_deployment(),
        webhook_url=read_webhook_url(),
        mail=read_mail(),
        airflow=read_airflow(),
        dashboard_url=read_dashboard_url(),
        file_stable_seconds=number("SLUICE_FILE_STABLE_SECONDS", 10.0),
    )
