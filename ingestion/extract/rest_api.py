"""Resources of a REST API as rows to extract, by dlt's `rest_api` and its configuration."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from common.text import first_line, root_cause
from ingestion.row_source import Rows, RowSource
from settings import PROJECT_DIR

# Where the configurations stand, beside the declarations.
FOLDER = PROJECT_DIR / "ingestion" / "sources"
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class RestApiError(RuntimeError):
    """A resource of an API cannot be read; the message does not have the value of a variable."""


def rest_api(configuration: str, resource: str, *, cursor: str = "") -> RowSource:
    """Declare a resource of a REST API as the source of a resource.

    Args:
        configuration: a YAML file in `ingestion/sources/` with dlt's configuration of `rest_api`: `client`,
            `resource_defaults` and `resources`. `${NAME}` in a text is the environment variable `NAME`.
        resource: the name of one of its resources.
        cursor: the field that grows with each change, the `cursor_path` of the resource's `incremental`. Its `start_param`
            gets the highest value so far. Without one every extraction reads all records.
    """
    return RowSource(_reader(FOLDER / configuration, resource, cursor), cursor)


def read_configuration(path: Path) -> dict[str, Any]:
    """Return the configuration in a file, with its variables as they are written.

    Raises:
        RestApiError: it cannot be read, or has no named resources.
    """
    try:
        found = yaml.safe_load(path.read_text())
        if not found["client"]["base_url"] or not all(each["name"] for each in found["resources"]):
            raise KeyError("base_url or name")
        return found
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RestApiError(f"{path} cannot be read: {error}") from None
    except (KeyError, TypeError):
        raise RestApiError(
            f"{path} is no configuration of dlt's rest_api: it needs client.base_url and resources, each with a name"
        ) from None


def incremental_of(configuration: dict[str, Any], resource: str) -> dict[str, Any]:
    """Return the `incremental` of a resource in a configuration; empty if it has none."""
    for each in configuration["resources"]:
        if each["name"] == resource:
            return (each.get("endpoint") or {}).get("incremental") or {}
    return {}


def _reader(path: Path, resource: str, cursor: str) -> Callable[[str | None], Rows]:
    def read(since: str | None) -> Rows:
        configuration = read_configuration(path)
        names = [each["name"] for each in configuration["resources"]]
        if resource not in names:
            raise RestApiError(f"{path} has no resource {resource!r}; it has {', '.join(names)}")
        declared = incremental_of(configuration, resource).get("cursor_path", "")
        if declared != cursor:
            raise RestApiError(
                f"the cursor of {resource} is {cursor!r} in its declaration, and {declared!r} in {path}"
            )
        values: dict[str, str] = {}
        expanded = _expanded(configuration, path, values)
        try:
            yield from _rows(expanded, resource, since)
        except Exception as error:
            raise RestApiError(_without_values(error, values)) from None

    return read


def _rows(configuration: dict[str, Any], resource: str, since: str | None) -> Rows:
    # dlt is slow to import.
    from dlt.sources.rest_api import rest_api_resources

    for each in configuration["resources"]:
        # How far a source is read is known here, also after a kill; dlt's state is that of its pipelines.
        incremental = (each.get("endpoint") or {}).pop("incremental", None) or {}
        start = since or incremental.get("initial_value")
        if each["name"] == resource and start is not None and (name := incremental.get("start_param")):
            each["endpoint"].setdefault("params", {})[name] = start
    # A resource may read another one first, so all are made.
    yield from next(each for each in rest_api_resources(configuration) if each.name == resource)  # type: ignore[arg-type]


def _expanded(value: Any, path: Path, values: dict[str, str]) -> Any:
    """Return a value with the variables in its texts replaced; their values are noted in `values`."""
    if isinstance(value, dict):
        return {name: _expanded(each, path, values) for name, each in value.items()}
    if isinstance(value, list):
        return [_expanded(each, path, values) for each in value]
    if not isinstance(value, str):
        return value
    for name in _VARIABLE.findall(value):
        if not os.environ.get(name):
            raise RestApiError(f"{name} is not set: {path} needs it")
        values[name] = os.environ[name]
    return _VARIABLE.sub(lambda found: values[found[1]], value)


def _without_values(error: Exception, values: dict[str, str]) -> str:
    said = first_line(root_cause(error))
    # The longest first: one value may be a part of another.
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        said = said.replace(value, f"${{{name}}}")
    return said
