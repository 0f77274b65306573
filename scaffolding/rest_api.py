"""Resources of a REST API as the source of a new domain: some records are read, profiled as files, and declared."""

from pathlib import Path

from ingestion.extract.rest_api import RestApiError, incremental_of, read_configuration, rest_api
from scaffolding.database_tables import extract_sample
from scaffolding.errors import ScaffoldingError
from scaffolding.model import Domain


def read_resources(configuration: Path, folder: Path) -> dict[str, str]:
    """Write the first records of the resources in a configuration as files; return the resource of each file.

    Args:
        configuration: see `ingestion.extract.rest_api.rest_api`.
        folder: an empty folder.

    Raises:
        ScaffoldingError: the configuration is not valid, or a resource cannot be read or has no record.
    """
    try:
        content = read_configuration(configuration.absolute())
    except RestApiError as error:
        raise ScaffoldingError(str(error)) from None
    found = {}
    for name in (each["name"] for each in content["resources"]):
        cursor = incremental_of(content, name).get("cursor_path", "")
        source = rest_api(str(configuration.absolute()), name, cursor=cursor)
        found[extract_sample(source, name, f"the resource {name}", folder)] = name
    return found


def declare_resources(domain: Domain, configuration: Path, resources: dict[str, str]) -> None:
    """Declare the resources as the sources of their entities; the configuration becomes a file of the domain."""
    domain.configuration = configuration.read_text()
    content = read_configuration(configuration)
    for entity in domain.entities:
        name = resources.get(str(entity.files[0]))
        if not name:
            continue
        cursor = incremental_of(content, name).get("cursor_path", "")
        entity.pattern = f"{entity.name}_[0-9]*" if cursor else f"{entity.name}.jsonl"
        arguments = [repr(f"{domain.name}.yml"), repr(name)] + ([f"cursor={cursor!r}"] if cursor else [])
        entity.source = f"rest_api({', '.join(arguments)})"
        domain.doubts.append(
            f"`{entity.name}` is read by what is new in {cursor}: records that are deleted in the API stay"
            if cursor
            else f"`{entity.name}` is read as a whole each time: its resource has no `incremental`"
        )
