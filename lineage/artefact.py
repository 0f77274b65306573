"""`lineage.json`: the lineage of a domain as a file, written after each build and kept with each published version."""

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.atomic_write import atomic_write
from lineage.graph import Column, Lineage, Reader, Table
from lineage.models import resolve_models
from settings import Settings
from transformation.manifest import Manifest

FORMAT = 1
log = logging.getLogger(__name__)


class LineageError(RuntimeError):
    """A lineage cannot be read; the message names the file and says what to do."""


def write_lineage(target: Path, domain: str, settings: Settings) -> None:
    """Write the lineage of a domain to `settings.lineage(domain)`, after a dbt command that built models of it.

    What the command did not build keeps the lineage of its last build. A failure is only logged, since no data depends
    on it.

    Args:
        target: dbt's target folder, with the manifest of that command.
        domain: the pipeline.
        settings: the data folder and environment.
    """
    try:
        manifest = Manifest(json.loads((target / "manifest.json").read_text()))
        if not any(
            node.get("compiled_code") for node in manifest.nodes.values() if node["resource_type"] == "model"
        ):
            return
        file = settings.lineage(domain)
        lineage, problems = resolve_models(manifest, domain, manifest.adapter, _known(file))
        for problem in problems:
            log.warning("The lineage of %s", problem)
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as new:
            new.write_text(to_json(lineage, domain))
    except Exception as error:
        # No run may fail because of it.
        log.warning("The lineage of %s is not written: %s: %s", domain, type(error).__name__, error)


def _known(file: Path) -> Mapping[str, Table]:
    """Return the tables of earlier builds, except those in another format.

    The shared dimensions may have been built by another domain.
    """
    found: dict[str, Table] = {}
    for each in (*sorted(file.parent.glob("*.json")), file):
        with suppress(LineageError):
            found |= read_lineage(each).tables
    return found


def read_lineage(file: Path) -> Lineage:
    """Read a lineage from a file.

    Raises:
        LineageError: there is none, or it has another format.
    """
    try:
        return from_json(file.read_text())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LineageError(f"{file} cannot be read: {error}. The next build writes it again.") from error


def to_json(lineage: Lineage, domain: str) -> str:
    """Return a lineage as JSON: the same text for the same lineage. Values that are empty are left out."""
    tables = {name: _without_empty(asdict(table)) for name, table in sorted(lineage.tables.items())}
    readers = {name: asdict(reader) for name, reader in sorted(lineage.readers.items())}
    content = {"format": FORMAT, "domain": domain, "tables": tables, "readers": readers}
    return json.dumps(content, indent=1, ensure_ascii=False)


def from_json(text: str) -> Lineage:
    """Return the lineage of a text by `to_json`. Raises ValueError, KeyError or TypeError if it is none."""
    found = json.loads(text)
    if found["format"] != FORMAT:
        raise ValueError(f"its format is {found['format']}, not {FORMAT}")
    return Lineage(
        {name: _table(table) for name, table in found["tables"].items()},
        {
            name: Reader(**reader | {"reads": tuple(reader["reads"])})
            for name, reader in found["readers"].items()
        },
    )


def _table(values: dict[str, Any]) -> Table:
    columns = {name: _column(column) for name, column in values.get("columns", {}).items()}
    tuples = {key: tuple(values.get(key, ())) for key in ("rows", "reads")}
    return Table(**{**values, "columns": columns, **tuples})


def _column(values: dict[str, Any]) -> Column:
    return Column(**{**values, "sources": tuple(values.get("sources", ()))})


def _without_empty(table: dict[str, Any]) -> dict[str, Any]:
    columns = {
        name: {key: value for key, value in column.items() if value}
        for name, column in table["columns"].items()
    }
    return {key: value for key, value in table.items() if value} | {"columns": columns}
