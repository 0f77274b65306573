"""The settings, from environment variables and `environments.toml`; `docs/settings.md` lists the variables."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    PositiveInt,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from settings import environments
from settings.environments import EVERY_DAG, PROJECT_DIR, Environment, Limits, SettingsError, Target
from settings.file_limits import FileLimits
from settings.services import AirflowAccess, Deployment, OpenLineage, Smtp
from settings.values import Email, HttpUrl, MemorySize, check_folder, matching
from settings.variables import EnvSettings
from settings.warehouse import PostgresServer, SparkServer

# The profile in profiles.yml.
DBT_PROFILE = "sluice"
# Variables for one domain each: SLUICE_SCHEDULE_<DOMAIN>, …
SCHEDULE, START, DOWNLOAD_URL = DOMAIN_PREFIXES = (
    "SLUICE_SCHEDULE_",
    "SLUICE_START_",
    "SLUICE_DOWNLOAD_URL_",
)
# Libraries read these when they are imported; variables that are already set take precedence.
LIBRARY_OPTIONS = {
    # No library reports usage to its vendor.
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "AIRFLOW__COSMOS__ENABLE_TELEMETRY": "false",
    # dlt would import Airflow (3 s) to look for its own options among Airflow's variables.
    "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
}


def _split(value: Any) -> Any:
    return tuple(value.replace(",", " ").replace(";", " ").split()) if isinstance(value, str) else value


def _spark(data: dict[str, Any]) -> SparkServer | None:
    if data["target"] != "spark":
        return None
    return SparkServer(lake=os.environ.get("SLUICE_SPARK_LAKE") or data["data_dir"] / "lake")


class Settings(EnvSettings):
    """Settings of one environment. All paths are absolute.

    A value comes from the constructor, else from its variable, else from `environments.toml`. For another environment than
    that of `SLUICE_ENV`, data folder and target come from the file.
    """

    model_config = SettingsConfigDict(env_prefix="SLUICE_", validate_default=True)

    env: str = Field("dev", description="environment, one of those in `environments.toml`")
    data_dir: Path = Field(
        description="landing, warehouse, published files, and the files of Airflow and dlt; a path of letters, digits, "
        "blanks and `/._-+@~(),`"
    )
    target: Target = Field(
        description="dbt target: `duckdb`, `postgres` or `spark`, see [engines](engines.md)"
    )
    postgres: PostgresServer | None = Field(
        default_factory=lambda data: PostgresServer() if data["target"] == "postgres" else None
    )
    spark: SparkServer | None = Field(default_factory=_spark)
    warehouse_writers: PositiveInt = Field(4, description="tasks that may write to a server at the same time")
    model_tasks: PositiveInt | None = Field(
        None,
        description="tasks of a DAG that watch models at the same time; default: cores, at most 4, and one more",
    )
    memory_limit: MemorySize = Field("2GB", description="memory of DuckDB before it spills to disk")
    file_stable_seconds: NonNegativeFloat = Field(
        10.0, description="how long a file must be unchanged before it counts as complete"
    )
    file_limits: FileLimits = Field(default_factory=lambda: FileLimits())
    notify_success: bool = Field(description="`1`: successes are notified as well")
    notify_webhook_url: (
        Annotated[
            SecretStr, matching(r"https?://[^\s/]+(/\S*)?", "a URL that begins with http:// or https://")
        ]
        | None
    ) = Field(None, description="where messages are posted; a secret, because anyone who knows it can post")
    notify_email_to: Annotated[tuple[Email, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="recipients, separated by commas"
    )
    notify_email_from: Email | None = Field(None, description="sender; default: the first recipient")
    notify_services: Path | None = Field(
        None,
        description="configuration file of apprise: services, with the pipelines or owners that they are told of",
    )
    smtp: Smtp = Field(default_factory=lambda: Smtp())
    openlineage: OpenLineage | None = Field(
        default_factory=lambda: OpenLineage() if os.environ.get("SLUICE_OPENLINEAGE_URL") else None
    )
    airflow: AirflowAccess | None = Field(
        default_factory=lambda: AirflowAccess() if os.environ.get("SLUICE_AIRFLOW_URL") else None
    )
    airflow_host: str = Field("127.0.0.1", description="address on which Airflow's UI listens")
    dashboard_url: HttpUrl = Field("http://127.0.0.1:8501", description="address of the dashboard for people")
    # Of an Airflow whose processes are services; None for one on this machine.
    deployment: Deployment | None = Field(
        default_factory=lambda: Deployment() if os.environ.get("SLUICE_METADATA_URL") else None
    )

    # Variables for single domains, unchecked: an invalid one must not stop the others. May contain credentials.
    _domain_variables: dict[str, str] = PrivateAttr(
        default_factory=lambda: {
            name: text for name, text in os.environ.items() if name.startswith(DOMAIN_PREFIXES) and text
        }
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read `environments.toml` as well."""
        own = os.environ.get("SLUICE_ENV") or "dev"
        env = init_settings().get("env") or own
        chosen = environments.read(env)
        places: dict[str, Any] = {"data_dir": chosen.data_dir, "target": chosen.target}
        file = InitSettingsSource(settings_cls, places | {"notify_success": chosen.notify_success})
        if env == own:
            return init_settings, env_settings, file
        return init_settings, InitSettingsSource(settings_cls, places), env_settings, file

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return check_folder((PROJECT_DIR / folder.expanduser()).resolve())

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.notify_email_to and not self.smtp.host:
            raise PydanticCustomError(
                "needs", "SLUICE_NOTIFY_EMAIL_TO needs SLUICE_SMTP_HOST, the mail server"
            )
        if self.smtp.user and self.smtp.security == "none":
            raise PydanticCustomError(
                "needs", "SLUICE_SMTP_SECURITY=none would send the password of SLUICE_SMTP_USER in clear text"
            )
        if self.deployment and not self.airflow:
            raise PydanticCustomError(
                "needs", "SLUICE_METADATA_URL needs SLUICE_AIRFLOW_URL, the address of the api-server"
            )
        return self

    @property
    def _file(self) -> Environment:
        return environments.read(self.env)

    @property
    def retries(self) -> int:
        """Retries of a task, with growing pauses."""
        return self._file.retries

    @property
    def task_hours(self) -> float:
        """Hours after which a task that has not ended fails."""
        return self._file.task_hours

    @property
    def approval_hours(self) -> float:
        """Hours that a run waits for a person's decision where the gate stops; 0 for not at all."""
        return self._file.approval_hours

    @property
    def unusual_values(self) -> str:
        """What `publish` does with values out of the usual: `report` or `stop`."""
        return self._file.unusual_values

    @property
    def active_dags(self) -> list[str]:
        """DAGs that are not paused when Airflow first sees them."""
        return list(self._file.active_dags)

    @property
    def notify(self) -> list[str]:
        """Channels for notifications, of those that are configured: `email`, `webhook`."""
        return list(self._file.notify)

    def schedule(self, domain: str, default: str | None) -> str | None:
        """Return the schedule of a domain's DAG in this environment; None for never.

        Raises:
            SettingsError: `SLUICE_SCHEDULE_<DOMAIN>` is no schedule.
        """
        found = self._of_domain(SCHEDULE, domain)
        if found:
            try:
                environments.check_schedule(found)
            except ValueError as error:
                raise SettingsError(f"{SCHEDULE}{domain.upper()}: {error}, not {found!r}") from error
        else:
            schedules = self._file.schedules
            found = schedules.get(domain, schedules.get(EVERY_DAG, default))
        return None if found == "none" else found

    def start(self, domain: str, default: date) -> date:
        """Return the day from which a domain's DAG has runs in this environment.

        Raises:
            SettingsError: `SLUICE_START_<DOMAIN>` is no day.
        """
        found = self._of_domain(START, domain)
        try:
            return date.fromisoformat(found) if found else default
        except ValueError as error:
            raise SettingsError(
                f"{START}{domain.upper()}: must be a day such as 2024-01-01, not {found!r}"
            ) from error

    def catches_up(self, domain: str) -> bool:
        """Return whether the DAG of a domain has a run for each interval since its first day."""
        return self._file.catch_up or bool(self._of_domain(START, domain))

    def download_url(self, domain: str) -> str | None:
        """Return the URL of a domain's monthly files, with `{month}` in its last part; None if it is not set.

        Raises:
            SettingsError: `SLUICE_DOWNLOAD_URL_<DOMAIN>` is no such URL.
        """
        found = self._of_domain(DOWNLOAD_URL, domain)
        # The error does not repeat the value, which may contain credentials.
        if found and not (
            found.startswith(("http://", "https://")) and "{month}" in found.rpartition("/")[2]
        ):
            raise SettingsError(
                f"{DOWNLOAD_URL}{domain.upper()}: must be a URL that begins with http:// or https:// and has {{month}} "
                "in its last part"
            )
        return found

    def check_domain_variables(self) -> None:
        """Check that each variable for a single domain is for a DAG that exists.

        Raises:
            SettingsError: one is not.
        """
        for variable in self._domain_variables:
            prefix = next(prefix for prefix in DOMAIN_PREFIXES if variable.startswith(prefix))
            environments.check_dag(variable.removeprefix(prefix).lower(), variable)

    def _of_domain(self, prefix: str, domain: str) -> str | None:
        return self._domain_variables.get(prefix + domain.upper())

    def limits_of(self, domain: str) -> Limits:
        """Return by how much a domain's tables may differ from the published ones."""
        limits = self._file.limits
        return limits.get(domain) or limits[EVERY_DAG]

    def landing(self, domain: str) -> Path:
        """Return the folder to which a domain's input files are delivered."""
        return self.data_dir / "landing" / domain

    def archive(self, domain: str) -> Path:
        """Return the folder to which a domain's loaded files may be moved."""
        return self.data_dir / "archive" / domain

    def reports(self, domain: str) -> Path:
        """Return the folder of a domain's reports."""
        return self.data_dir / "reports" / domain

    def published(self, domain: str) -> Path:
        """Return the file that readers open: a domain's marts that passed every test."""
        return (self.spark.lake if self.spark else self.data_dir) / "published" / f"{domain}.duckdb"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file of the warehouse, written by one process at a time; with Spark it holds only raw tables."""
        return self.data_dir / "warehouse" / f"{self.warehouse_name}.duckdb"

    @property
    def writers(self) -> int:
        """Tasks that may write to the warehouse at the same time; DuckDB allows one process."""
        return 1 if self.target == "duckdb" else self.warehouse_writers

    @property
    def warehouse_name(self) -> str:
        """A name that is unique to the environment and the target: `dev`, `dev_postgres`."""
        return self.env if self.target == "duckdb" else f"{self.env}_{self.target}"

    def run_logs(self, domain: str) -> Path:
        """Folder of the metrics of a domain's runs in this environment that are not in its warehouse yet."""
        return self.data_dir / "run_logs" / self.warehouse_name / domain

    def builder(self, domain: str) -> Path:
        """File with the id of the run that built a domain's models last in this environment."""
        return self.data_dir / "dbt" / "builders" / self.warehouse_name / domain

    def lineage(self, domain: str) -> Path:
        """File with the lineage of a domain's models as they were built last in this environment."""
        return self.data_dir / "dbt" / "lineage" / self.warehouse_name / f"{domain}.json"

    @property
    def dbt_results(self) -> Path:
        """Folder of the results of dbt commands that are not in the warehouse yet."""
        return self.data_dir / "dbt" / "results" / self.warehouse_name

    @property
    def dlt_dir(self) -> Path:
        """What dlt keeps between runs: pipeline state and unfinished packages."""
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
        """dbt's manifest for DAGs and `publish`; replaced atomically when the project changes.

        Every dbt command rewrites the one in `dbt_target` in place, where a reader could find half of it.
        """
        return self._dbt_dir / "manifest.json"

    @property
    def _dbt_dir(self) -> Path:
        # Models compile to different SQL on each engine.
        return self.data_dir / "dbt" if self.target == "duckdb" else self.data_dir / "dbt" / self.target

    def environment(self) -> dict[str, str]:
        """Return the variables that give a child process (dbt, Airflow) these settings, secrets included."""
        return {
            **super().environment(),
            **self._domain_variables,
            "DBT_PROFILES_DIR": str(PROJECT_DIR),
            # As Cosmos names them: with other names dbt would not reuse what it parsed before.
            "DBT_PROFILE": DBT_PROFILE,
            "DBT_TARGET": self.target,
            "DBT_TARGET_PATH": str(self.dbt_target),
            "DBT_LOG_PATH": str(self._dbt_dir / "logs"),
            **{name: os.environ.get(name, value) for name, value in LIBRARY_OPTIONS.items()},
        }


def load(env: str | None = None) -> Settings:
    """Read the settings of an environment, by default that of `SLUICE_ENV`.

    Raises:
        SettingsError: a variable or a key of `environments.toml` has an invalid value.
    """
    return Settings(env=env) if env else Settings()
