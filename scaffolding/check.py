"""What does not fit together in the files of a domain, each with the mend."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ingestion import registry
from scaffolding.errors import ScaffoldingError
from scaffolding.generated.declaration import CLEAN, MODELS, Declaration, domains_of, read_declaration
from scaffolding.generated.files import generated_files
from scaffolding.names import check_domain_name, check_entity_name
from scaffolding.project_files import PROJECT_YML, SELECTORS_YML, has_entry
from settings import PLATFORM
from transformation.exposures import Pages
from transformation.manifest import MARTS

# What a model of the clean layer is, and what a mart is, by its name.
CLEAN_KINDS = ("stg", "validated", "clean", "quarantine")
MART_KINDS = ("fct", "dim", "agg", "audit")
# A mart in a query of a page.
_MART = re.compile(r"\bmarts\.([a-z]\w*)")


@dataclass(frozen=True)
class Finding:
    """Something that does not fit: the file, and what is wrong with the mend."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def known_domains(root: Path) -> list[str]:
    """Return the names under which some part of a domain is in the project, sorted."""
    sources, _ = _sources()
    dags = {name for _, name in _dags(root)}
    return sorted({*sources, *dags, *domains_of(root)} - {*PLATFORM})


def check_domain(domain: str, root: Path, pages: Pages) -> list[Finding]:
    """Return what does not fit together in a domain; empty if everything does.

    Args:
        domain: its name.
        root: the project.
        pages: returns the pages of the dashboard that read some of a domain's marts.
    """
    sources, broken = _sources()
    found = [*broken, *_parts(domain, sources, root)]
    if broken:
        # Nothing follows from declarations that cannot be read.
        return found
    try:
        declaration = read_declaration(domain, root)
        generated = generated_files(declaration, pages)
    except ScaffoldingError as error:
        return [*found, Finding("dbt_project", str(error))]
    found += [*_names(declaration), *_models(declaration), *_page(declaration, generated, root)]
    outdated = [path for path, text in generated.items() if not _is(root / path, text)]
    found += [
        Finding(path, "it does not follow from the declarations: run `sluice generate`") for path in outdated
    ]
    return found


def _sources() -> tuple[set[str], list[Finding]]:
    """Return the domains of all sources, and the modules that cannot be imported."""
    domains: set[str] = set()
    broken = []
    for name in registry.source_names():
        try:
            domains |= {resource.domain for resource in registry.resources_of_source(name)}
        except registry.BrokenSourceError as error:
            broken.append(
                Finding(f"ingestion/sources/{name}.py", f"it cannot be imported: {error.__cause__}")
            )
    return domains, broken


def _parts(domain: str, sources: set[str], root: Path) -> Iterator[Finding]:
    """Yield the parts of a domain that are missing, or have another name."""
    if domain not in sources:
        meant = _meant(domain, sources)
        yield Finding(
            "ingestion/sources",
            f"no source has the domain {domain!r}{meant}; add RESOURCES with domain={domain!r}",
        )
    if not (root / MODELS / MARTS / domain).is_dir():
        yield Finding(f"{MODELS}/{MARTS}", f"there is no folder {domain} with the marts of the domain")
    for path in (PROJECT_YML, SELECTORS_YML):
        if not has_entry(path, (root / path).read_text(), domain):
            yield Finding(
                path,
                f"it has no entry {domain}, so that a run of {domain} selects no model; add one like the others",
            )
    dags = _dags(root)
    if domain not in {name for _, name in dags}:
        yield Finding(
            f"dags/{domain}.py",
            f"no DAG runs {domain!r}: add domain_dag({domain!r}, …) as in the other files",
        )
    for file, name in dags:
        if file.stem == domain and name != domain:
            yield Finding(
                f"dags/{file.name}", f"its DAG is of {name!r}, not of {domain!r}{_meant(name, sources)}"
            )


def _names(declaration: Declaration) -> Iterator[Finding]:
    """Yield names that SQL, Python or dbt cannot have."""
    checks: list[tuple[str, Callable[[], None]]] = [
        (declaration.domain, lambda: check_domain_name(declaration.domain))
    ]
    checks += [
        (table.entity, lambda name=table.entity: check_entity_name(name, Path("FILE")))  # type: ignore[misc]
        for table in declaration.tables
    ]
    for name, check in checks:
        try:
            check()
        except ScaffoldingError as error:
            yield Finding(f"ingestion/sources ({name})", str(error).partition("; name it")[0])


def _models(declaration: Declaration) -> Iterator[Finding]:
    """Yield models whose names belong to no layer or entity, and raw tables and models that nothing describes."""
    domain = declaration.domain
    entities = [table.entity for table in declaration.tables]
    for table in declaration.tables:
        if declaration.staging(table) not in declaration.names:
            path = f"{MODELS}/{CLEAN}/{domain}/{declaration.staging(table)}.sql"
            yield Finding(
                path, f"the raw table {table.entity} has no staging model: add it, or take the resource out"
            )
    for layer, name in sorted(declaration.models):
        path = f"{MODELS}/{layer}/{domain}/{name}.sql"
        kinds = CLEAN_KINDS if layer == CLEAN else MART_KINDS
        if name.split("_")[0] not in kinds:
            yield Finding(
                path, f"the name of a model here begins with {', '.join(f'{kind}_' for kind in kinds)}"
            )
        elif layer == CLEAN and not name.partition("_")[2].startswith(f"{domain}__"):
            yield Finding(path, f"its name must be {name.split('_')[0]}_{domain}__<entity>")
        elif name.startswith("stg_") and name.split("__")[1] not in entities:
            entity = name.split("__")[1]
            yield Finding(path, f"no resource loads {entity!r}{_meant(entity, entities)}")
        elif name not in declaration.properties["models"]:
            yield Finding(
                f"{MODELS}/{layer}/{domain}/_{domain}__models.yml",
                f"{name} is not described; add its columns",
            )
    own = declaration.names
    for name in declaration.properties["models"]:
        if name not in own and not name.startswith(
            ("validated_", "quarantine_", "clean_", "audit_", "curated_")
        ):
            path = f"{MODELS}/*/{domain}/_{domain}__models.yml"
            yield Finding(path, f"it describes {name}, which is no model{_meant(name, own)}")


def _page(declaration: Declaration, generated: dict[str, str], root: Path) -> Iterator[Finding]:
    """Yield the marts that the domain's own page names and nothing publishes."""
    path = Path("dashboard/views") / f"{declaration.domain}.py"
    if not (root / path).exists():
        return
    marts = {*declaration.marts(), *declaration.shared_marts, *(Path(each).stem for each in generated)}
    for name in sorted({*_MART.findall((root / path).read_text())} - marts):
        yield Finding(str(path), f"no model is the mart {name!r}{_meant(name, marts)}")


def _dags(root: Path) -> list[tuple[Path, str]]:
    """Return the file and the domain of each DAG of a domain."""
    found = []
    for path in sorted((root / "dags").glob("*.py")):
        try:
            calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        except SyntaxError:
            continue
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id == "domain_dag" and call.args:
                first = call.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.append((path, first.value))
    return found


def _meant(name: str, names: set[str] | list[str]) -> str:
    close = get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {close[0]!r}?" if close and close[0] != name else ""


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text() == text
