"""Makes the generated files of a domain from what it declares."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scaffolding.errors import ScaffoldingError
from scaffolding.generated.declaration import CLEAN, MODELS, Declaration, RawTable
from scaffolding.names import described
from scaffolding.template import template_environment
from transformation.exposures import Pages, exposures_of, exposures_yaml
from transformation.manifest import MARTS, failed_rules_mart, quarantine_model, row_counts_mart

# The folder in that of a layer and domain.
GENERATED = "generated"
# In the words of apply_quality_rules and stage_columns.
PLATFORM_COLUMNS = ("_unreadable", "_source_file", "_source_row", "_row_id", "_dlt_load_id")


def generated_files(declaration: Declaration, pages: Pages) -> dict[str, str]:
    """Return the content of each generated file of a domain, by its path in the project.

    Args:
        declaration: what the domain declares.
        pages: returns the pages of the dashboard that read some of a domain's marts.

    Raises:
        ScaffoldingError: a staging model has no rules, or no columns; the group has no owner.
    """
    domain, entities = declaration.domain, declaration.entities
    clean, marts = (MODELS / layer / domain / GENERATED for layer in (CLEAN, MARTS))
    render = _Renderer(declaration)
    files: dict[Path, str] = {}
    if declaration.tables:
        files[clean / f"_{domain}__sources.yml"] = render("sources.yml")
    if entities:
        files[clean / f"_{domain}__models.yml"] = render("clean_models.yml")
        files[marts / f"_{domain}__models.yml"] = render("marts_models.yml")
        names = ", ".join(f"'{table.entity}'" for table in entities)
        files[marts / f"{failed_rules_mart(domain)}.sql"] = f"{{{{ failed_rules_audit([{names}]) }}}}\n"
        files[marts / f"{row_counts_mart(domain)}.sql"] = f"{{{{ load_audit([{names}]) }}}}\n"
    for table in entities:
        named = f"{domain}__{table.entity}"
        files[clean / f"validated_{named}.sql"] = render("validated.sql", table=table)
        files[clean / f"clean_{named}.sql"] = render("clean.sql", table=table)
        files[clean / f"{quarantine_model(domain, table.entity)}.sql"] = "{{ quarantined_rows() }}\n"
    kept = {
        path: content
        for path, content in files.items()
        if path.suffix != ".sql" or path.stem not in declaration.names
    }
    names_of_marts = {path.stem for path in kept if path.parent == marts and path.suffix == ".sql"}
    exposures = exposures_of(
        domain,
        sorted({*declaration.marts(), *names_of_marts}),
        declaration.shared_marts,
        list(declaration.properties["models"].values()),
        pages,
    )
    kept[marts / f"_{domain}__exposures.yml"] = exposures_yaml(exposures, declaration.owner())
    return {str(path): content for path, content in sorted(kept.items())}


class _Renderer:
    """Renders the templates of the generated files."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        self._environment = template_environment()
        self._environment.globals |= {
            "clean_columns": self._clean_columns,
            "described": described,
            "has_persons": lambda: any(table.personal for table in declaration.tables),
            "is_described": lambda name: name in declaration.properties["models"],
            "raw_columns": self._raw_columns,
            "quality_rules": self._quality_rules,
            "source_description": self._source_description,
            "staged_columns": self._staged_columns,
            "tables": self._tables,
        }

    def __call__(self, template: str, **values: Any) -> str:
        found = self._environment.get_template(f"generated/{template}.j2")
        return found.render(declaration=self._declaration, domain=self._declaration.domain, **values)

    def _source_description(self) -> str:
        """Return what the sources deliver, in the domain's own words if it describes some of their tables."""
        own = self._declaration.properties["sources"].get(f"raw_{self._declaration.domain}", {})
        return own.get("description") or self._declaration.description

    def _tables(self) -> list[RawTable]:
        """Return the raw tables that the domain does not describe itself."""
        source = self._declaration.properties["sources"].get(f"raw_{self._declaration.domain}", {})
        return [table for table in self._declaration.tables if table.entity not in source.get("tables", {})]

    def _raw_columns(self, table: RawTable) -> Iterator[str]:
        staging = self._declaration.staging(table)
        for name, text in table.columns.items():
            personal = ", config: {meta: {personal: true}}" if name in table.personal else ""
            yield f"{{name: {_yaml(name)}{personal}, description: {_yaml(text or f'As delivered, see {staging}.')}}}"

    def _quality_rules(self, table: RawTable) -> dict[str, Any]:
        """Return the key, order and rules of an entity, with what it refers to."""
        meta = (self._staging_properties(table).get("config") or {}).get("meta") or {}
        if missing := [part for part in ("key", "order_by", "rules") if not meta.get(part)]:
            raise ScaffoldingError(
                f"{self._place(table)}: config.meta lacks {', '.join(missing)}, by which its rows are validated"
            )
        return meta

    def _staged_columns(self, table: RawTable) -> list[dict[str, Any]]:
        """Return name and description of the columns of a staging model."""
        columns = self._staging_properties(table).get("columns") or []
        if missing := [
            name for name in PLATFORM_COLUMNS if name not in {column["name"] for column in columns}
        ]:
            raise ScaffoldingError(f"{self._place(table)}: its columns lack {', '.join(missing)}")
        return [{name: column[name] for name in ("name", "description")} for column in columns]

    def _clean_columns(self, table: RawTable) -> list[str]:
        return [column["name"] for column in self._staged_columns(table) if column["name"] != "_unreadable"]

    def _staging_properties(self, table: RawTable) -> dict[str, Any]:
        return self._declaration.properties["models"].get(self._declaration.staging(table)) or {}

    def _place(self, table: RawTable) -> str:
        domain = self._declaration.domain
        return f"{MODELS}/{CLEAN}/{domain}/_{domain}__models.yml, {self._declaration.staging(table)}"


def _yaml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
