"""What differs between environments, `environments.toml`, read and checked as a whole."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

PROJECT_DIR = Path(__file__).resolve().parent.parent
FILE = PROJECT_DIR / "environments.toml"
DEFAULT = "default"
# Those of Airflow that every timetable takes, so not @once and @continuous.
PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
NO_DAG = "and there is none of this name in dags/"
# Those of profiles.yml.
Target = Literal["duckdb", "postgres", "spark"]
# For DAGs that are not named.
EVERY_DAG = "*"


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names the variable, or the file and the key."""


def check_schedule(text: str) -> str:
    """The text, if it is a schedule; else a ValueError that says what is one."""
    if text not in (*PRESETS, "none") and not _is_cron(text):
        raise ValueError(f"must be a cron expression of five fields, none or one of {', '.join(PRESETS)}")
    return text


def has_dag(domain: str) -> bool:
    """Whether a domain has a DAG, in a file named after it."""
    return (PROJECT_DIR / "dags" / f"{domain}.py").exists()


def _is_cron(text: str) -> bool:
    from croniter import croniter  # which few commands need

    return len(text.split()) == 5 and croniter.is_valid(text)


class _Checked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Share = Annotated[float, Field(ge=0)]


class Limits(_Checked):
    """By how much a table may differ from the published one; shares of what is published, inf for no limit."""

    max_row_decrease: Annotated[float, Field(ge=0, le=1)]
    max_row_increase: Share
    max_total_decrease: Share
    max_total_increase: Share
    max_days_back: Annotated[float, Field(ge=0)]
    max_null_increase: Annotated[float, Field(ge=0, le=1)]


class Environment(_Checked):
    """One environment, as the file has it; `limits` by domain, and `*` for the domains that are not named."""

    data_dir: str
    target: Target
    schedules: dict[str, Annotated[str, AfterValidator(check_schedule)]]
    active_dags: list[str]
    catch_up: bool
    retries: Annotated[int, Field(ge=0)]
    notify: list[Literal["email", "webhook"]]
    notify_success: bool
    limits: dict[str, Limits]


def read(name: str, file: Path | None = None) -> Environment:
    """Read an environment; the others are checked as well, so that a mistake shows before its turn comes.

    Args:
        name: the environment.
        file: defaults to `environments.toml` beside this module.

    Raises:
        SettingsError: there is no such environment, or the file has a mistake; names the key.
    """
    file = file or FILE
    try:
        found = tomllib.loads(file.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    default = found.pop(DEFAULT, {})
    environments = {each: _environment(each, default, own, file) for each, own in found.items()}
    if name not in environments:
        raise SettingsError(f"SLUICE_ENV is {name!r}, and {file} has {', '.join(environments)}")
    return environments[name]


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
            if not has_dag(domain):
                raise SettingsError(f"{file}: {key}.{domain} of [{name}] is for a DAG {domain}, {NO_DAG}")
    try:
        return Environment.model_validate({**default, **own, "limits": limits})
    except ValidationError as error:
        wrong = error.errors()[0]
        key = ".".join(str(part) for part in wrong["loc"] if part != EVERY_DAG)
        said = wrong["msg"].removeprefix("Value error, ")
        given = "" if wrong["type"] == "missing" else f", not {wrong['input']!r}"
        raise SettingsError(f"{file}: {key} of [{name}] (or of [{DEFAULT}]): {said}{given}") from error


def _limits(*layers: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Limits by domain, of which later layers replace single values."""
    domains = {domain for layer in layers for domain, own in layer.items() if isinstance(own, Mapping)}
    every = {key: value for layer in layers for key, value in layer.items() if not isinstance(value, Mapping)}
    of_domain = {
        domain: {key: value for layer in layers for key, value in layer.get(domain, {}).items()}
        for domain in domains
    }
    return {EVERY_DAG: every} | {domain: every | own for domain, own in of_domain.items()}
