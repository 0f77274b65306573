"""What differs between environments: `environments.toml`, read and checked as a whole."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

PROJECT_DIR = Path(__file__).resolve().parent.parent
FILE = PROJECT_DIR / "environments.toml"
DEFAULT = "default"
# The presets of Airflow that every timetable takes; @once and @continuous are not among them.
PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
# The targets of profiles.yml.
Target = Literal["duckdb", "postgres", "spark"]
# The key for all DAGs that have none of their own.
EVERY_DAG = "*"


class SettingsError(ValueError):
    """A setting has an invalid value; the message names the variable, or the file and the key."""


def check_schedule(text: str) -> str:
    """Return the text if it is a schedule.

    Raises:
        ValueError: it is not; the message says what is allowed.
    """
    if text not in (*PRESETS, "none") and not _is_cron(text):
        raise ValueError(f"must be a cron expression of five fields, none or one of {', '.join(PRESETS)}")
    return text


def check_dag(name: str, setting: str) -> None:
    """Check that a setting is for a DAG that exists.

    Raises:
        SettingsError: `dags/` has no file of this name.
    """
    if not (PROJECT_DIR / "dags" / f"{name}.py").exists():
        raise SettingsError(f"{setting} is for a DAG {name}, but dags/{name}.py does not exist")


def _is_cron(text: str) -> bool:
    from croniter import croniter  # few commands need it

    return len(text.split()) == 5 and croniter.is_valid(text)


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Limits(_Checked):
    """By how much a table may differ from the published one; shares of the published value, inf for no limit."""

    max_row_decrease: Share
    max_row_increase: NotNegative
    max_total_decrease: NotNegative
    max_total_increase: NotNegative
    max_days_back: NotNegative
    max_null_increase: Share


class Environment(_Checked):
    """One environment. `limits` are by domain; `*` has those of all other domains."""

    data_dir: str
    target: Target
    schedules: dict[str, Annotated[str, AfterValidator(check_schedule)]]
    active_dags: list[str]
    catch_up: bool
    retries: Annotated[int, Field(ge=0)]
    task_hours: Annotated[float, Field(gt=0)]
    approval_hours: NotNegative
    unusual_values: Literal["report", "stop"]
    notify: list[Literal["email", "webhook", "services"]]
    notify_success: bool
    limits: dict[str, Limits]


def read(name: str) -> Environment:
    """Read an environment from `environments.toml`.

    Raises:
        SettingsError: the environment does not exist, or the file has an invalid value, even one of another environment;
            the message names the key.
    """
    try:
        environments = _read_all(FILE, FILE.stat().st_mtime_ns)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{FILE} cannot be read: {error}") from error
    if name not in environments:
        raise SettingsError(f"SLUICE_ENV is {name!r}, but {FILE} has only {', '.join(environments)}")
    return environments[name]


@lru_cache(maxsize=1)
def _read_all(file: Path, _changed_at: int) -> dict[str, Environment]:
    tables = tomllib.loads(file.read_text())
    default = tables.pop(DEFAULT, {})
    return {name: _environment(name, default, own, file) for name, own in tables.items()}


def _environment(name: str, default: Any, own: Any, file: Path) -> Environment:
    for table, values in ((DEFAULT, default), (name, own)):
        if not isinstance(values, Mapping) or not isinstance(values.get("limits", {}), Mapping):
            raise SettingsError(f"{file}: {table} and its limits must be tables, as [{table}.limits]")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise SettingsError(f"{file}: an environment has a lower-case name such as dev or prod, not {name!r}")
    limits = _limits(default.get("limits", {}), own.get("limits", {}))
    for key, domains in (
        ("limits", limits),
        ("schedules", {**default, **own}.get("schedules", {})),
        ("active_dags", {**default, **own}.get("active_dags", [])),
    ):
        for domain in {*domains} - {EVERY_DAG}:
            check_dag(domain, f"{file}: {key}.{domain} of [{name}]")
    try:
        return Environment.model_validate({**default, **own, "limits": limits})
    except ValidationError as error:
        wrong = error.errors()[0]
        key = ".".join(str(part) for part in wrong["loc"] if part != EVERY_DAG)
        message = wrong["msg"].removeprefix("Value error, ")
        given = "" if wrong["type"] == "missing" else f", not {wrong['input']!r}"
        raise SettingsError(f"{file}: {key} of [{name}] (or of [{DEFAULT}]): {message}{given}") from error


def _limits(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return limits by domain; an environment's replace single values of the default's, a domain's those of all."""
    layers = (default, own)
    every = {key: value for layer in layers for key, value in layer.items() if not isinstance(value, Mapping)}
    domains = [key for layer in layers for key, value in layer.items() if isinstance(value, Mapping)]
    return {EVERY_DAG: every} | {
        domain: every | default.get(domain, {}) | own.get(domain, {}) for domain in domains
    }
