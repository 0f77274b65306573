"""docker-compose.yaml, read as docker compose reads it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from settings import PROJECT_DIR

FILE = PROJECT_DIR / "docker-compose.yaml"
# $$, or ${NAME}, with :- a default, with :? an error, with :+ what stands there if it is set.
VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<how>[-?+])(?P<text>[^}]*))?\})")


class MissingVariableError(RuntimeError):
    """A variable that must be set is not."""


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with the values of the variables.

    Raises:
        MissingVariableError: as docker compose says it, with the file's own text.
    """
    return _filled(yaml.safe_load(FILE.read_text()), variables)


def active(services: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """The services that `docker compose up` starts, by name."""
    profiles = set(filter(None, variables.get("COMPOSE_PROFILES", "").split(",")))
    return {
        name: service
        for name, service in services.items()
        if not service.get("profiles") or profiles & set(service["profiles"])
    }


def needed() -> set[str]:
    """Variables that have no default."""
    return {found["name"] for found in VARIABLE.finditer(FILE.read_text()) if found["how"] in ("?", None)} - {
        None
    }


def environment(service: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Variables of a service's container, with those of its files in the folder."""
    found: dict[str, str] = {}
    for file in service.get("env_file", []):
        if (folder / file["path"]).exists():
            found |= dotenv_values(folder / file["path"])
        elif file["required"]:
            raise FileNotFoundError(file["path"])
    return found | service.get("environment", {})


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if not isinstance(value, str):
        return value

    def fill(found: re.Match) -> str:
        if found["dollar"]:
            return "$"
        text = variables.get(found["name"], "")
        match found["how"]:
            case "-":
                return text or found["text"]
            case "+":
                return found["text"] if text else ""
            case "?" if not text:
                raise MissingVariableError(
                    f"required variable {found['name']} is missing a value: {found['text']}"
                )
        return text

    return VARIABLE.sub(fill, value)
