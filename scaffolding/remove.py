"""Takes a domain out of the project again, and its data if wanted."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from common.atomic_write import atomic_write
from scaffolding.errors import ScaffoldingError
from scaffolding.project_files import (
    LAYERS,
    PROJECT_YML,
    README,
    SELECTORS_YML,
    has_entry,
    is_domain,
    own_paths,
    without_entry,
)
from settings import PLATFORM, Settings
from warehouse import connect, quoted, warehouse_exists


@dataclass(frozen=True)
class Removal:
    """What belongs to a domain alone.

    Attributes:
        domain: the domain.
        files: its files.
        entries: the files with an entry of it.
        models: layer and name of its models.
    """

    domain: str
    files: tuple[Path, ...]
    entries: tuple[str, ...]
    models: tuple[tuple[str, str], ...]


def plan_removal(domain: str, root: Path) -> Removal:
    """Return what belongs to a domain; nothing is removed.

    Args:
        domain: the domain.
        root: the project.

    Raises:
        ScaffoldingError: there is no such domain, or other parts of the project need it.
    """
    if not _is_name(domain) or domain in PLATFORM or not is_domain(domain, root):
        raise ScaffoldingError(f"there is no domain {domain!r} that could be removed")
    files = [file for path in own_paths(domain, root) for file in _files(path)]
    entries = [
        path
        for path in (PROJECT_YML, SELECTORS_YML, README)
        if has_entry(path, (root / path).read_text(), domain)
    ]
    models = root / "dbt_project" / "models"
    own = [
        (layer, path.stem) for layer in LAYERS for path in sorted((models / layer / domain).rglob("*.sql"))
    ]
    if users := _users(domain, {name for _, name in own}, root):
        raise ScaffoldingError(
            f"models of other domains read {domain}: {', '.join(users)}; change them first"
        )
    return Removal(domain, tuple(files), tuple(entries), tuple(own))


def remove(removal: Removal, root: Path) -> None:
    """Remove the files of a domain and its entries.

    Raises:
        OSError: a file cannot be removed.
    """
    for entry in removal.entries:
        content = without_entry(entry, (root / entry).read_text(), removal.domain)
        mode = (root / entry).stat().st_mode
        with atomic_write(root / entry) as new:
            new.write_text(content)
            new.chmod(mode)
    for path in own_paths(removal.domain, root):
        _remove(path)


def remove_data(removal: Removal, settings: Settings) -> None:
    """Remove the data of a domain: its files in the data folder, and its tables in the warehouse.

    Raises:
        ScaffoldingError: the warehouse is not a DuckDB file.
        WarehouseBusyError: another process kept the warehouse.
    """
    domain = removal.domain
    check_target(settings)
    if warehouse_exists(settings):
        with connect(settings, domain) as warehouse:
            for schema, name in removal.models:
                found = warehouse.execute(
                    "select table_type from information_schema.tables where table_schema = ? and table_name = ?",
                    [schema, name],
                ).fetchall()
                for (table_type,) in found:
                    kind = "view" if table_type == "VIEW" else "table"
                    warehouse.execute(f"drop {kind} {schema}.{quoted(name)}")
            for raw in (f"raw_{domain}", f"raw_{domain}_staging"):
                warehouse.execute(f"drop schema if exists {quoted(raw)} cascade")
    published = settings.published(domain)
    for path in (
        settings.landing(domain),
        settings.archive(domain),
        settings.reports(domain),
        published,
        published.with_suffix(""),
        settings.dlt_dir / f"{settings.warehouse_name}_{domain}",
        settings.builder(domain),
        settings.lineage(domain),
        settings.run_logs(domain),
    ):
        _remove(path)


def check_target(settings: Settings) -> None:
    """Check that the data of a domain can be removed.

    Raises:
        ScaffoldingError: the warehouse is not a DuckDB file.
    """
    if settings.target != "duckdb":
        raise ScaffoldingError(f"--data removes tables of DuckDB only, and the target is {settings.target}")


def _is_name(domain: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9_]*", domain) is not None and domain != "shared"


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    return [path] if path.exists() else []


def _users(domain: str, models: set[str], root: Path) -> list[str]:
    """Return the models and tests of other domains that read a model of this one."""
    found = []
    for folder in ("models", "tests"):
        for path in sorted((root / "dbt_project" / folder).rglob("*.sql")):
            if domain not in path.relative_to(root).parts:
                names = set(re.findall(r"ref\(\s*['\"](\w+)['\"]", path.read_text()))
                found += [path.stem] if names & models else []
    return found


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
