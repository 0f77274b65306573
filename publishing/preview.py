"""Shows what a change of the models does to the data, before it is merged.

The models that differ from those of the published version, and all that depend on them, are built into a separate
database. It has the warehouse's name, as dbt would take another name for a change, and a view of each of the
warehouse's tables, which stands for what is not built; the warehouse itself is opened for reading only. Then the marts
that were built are compared with the published ones, row by row.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from common.file_lock import FileLockedError, file_lock
from common.files import work_folder
from ingestion.registry import domains
from lineage.artefact import LineageError
from lineage.graph import Lineage
from lineage.models import resolve_models
from publishing.candidate import attach, link_or_copy
from publishing.column_changes import ColumnChange, changes, changes_markdown, contract_types
from publishing.data_diff import DataDiff, TableDiff
from publishing.errors import PublishError
from publishing.file_store import FileStore
from publishing.lineage import all_published, published_lineage
from publishing.marts import SCHEMA, Mart, marts_of
from settings import DBT_PROFILE, PROJECT_DIR, Settings
from transformation.changes import SCHEMA as STATE_SCHEMA
from transformation.dbt import run_dbt
from transformation.manifest import read_manifest
from transformation.results import read_run_results
from warehouse import WAIT_SECONDS, quoted

log = logging.getLogger(__name__)
# The names of the attached databases; no environment has such a name.
WAREHOUSE, PUBLISHED = "_warehouse", "_published"


class PreviewError(RuntimeError):
    """The preview could not be made; the message says why. Nothing was changed."""


@dataclass(frozen=True)
class Preview:
    """What a change does to a domain.

    Attributes:
        domain: the domain.
        version: the published version that it is compared with.
        built: the models that the change affects.
        tables: the marts among them.
        columns: the columns of models that are added, changed and removed; none if the version has no lineage.
    """

    domain: str
    version: str
    built: tuple[str, ...]
    tables: tuple[TableDiff, ...]
    columns: tuple[ColumnChange, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def markdown(self) -> str:
        title = f"## {self.domain}\n\nCompared with {self.version}. "
        differing = [table for table in self.tables if table.differs]
        if not self.built and not differing:
            return f"{title}The change affects no model."
        title += f"The change affects {', '.join(self.built) or 'only models that were removed'}."
        same = [table.table for table in self.tables if not table.differs]
        if same:
            title += f"\n\nThe same as published: {', '.join(same)}."
        columns = changes_markdown(self.columns)
        return "\n\n".join(filter(None, [title, columns, *(table.markdown() for table in differing)]))


def preview(domain: str, settings: Settings) -> Preview:
    """Build what a change affects in a separate database, and compare its marts with the published ones.

    Raises:
        PreviewError: the domain is not published with dbt's manifest, or another preview is running.
        DbtError: a model cannot be built.
    """
    if settings.target != "duckdb":
        raise PreviewError(
            f"preview compares DuckDB files, and the target is {settings.target}: use the target duckdb"
        )
    store = FileStore(domain, settings)
    active = store.active()
    if active is None or not store.manifest(active.name).exists():
        raise PreviewError(f"{domain} has no published version with dbt's manifest; publish it first")
    with _own_folder(settings) as folder:
        state = folder / "state"
        state.mkdir()
        link_or_copy(store.manifest(active.name), state / "manifest.json")
        # The second name keeps the file if the version is pruned meanwhile.
        published = folder / "published.duckdb"
        link_or_copy(store.file(active.name), published)
        built = folder / f"{settings.env}.duckdb"
        _create_views(settings, built)
        models = _build(domain, settings, built, state)
        marts = _marts(domain, folder / "target" / "manifest.json")
        removed = _marts(domain, state / "manifest.json").keys() - marts.keys()
        with duckdb.connect(str(built), config={"memory_limit": settings.memory_limit}) as connection:
            attach(connection, settings.warehouse, WAREHOUSE, "read_only")
            attach(connection, published, PUBLISHED, "read_only")
            data_diff = DataDiff(connection, PUBLISHED, None)
            tables = [data_diff.compare(mart) for name, mart in marts.items() if name in models]
            for name in sorted(removed):
                relation = f"{PUBLISHED}.{SCHEMA}.{quoted(name)}"
                ((rows,),) = connection.execute(f"select count(*) from {relation}").fetchall()
                tables.append(TableDiff(name, (rows, None)))
        columns = _columns(domain, settings, active.name, folder)
    return Preview(domain, active.name, tuple(sorted(models)), tuple(tables), columns)


def previews(names: Sequence[str], settings: Settings) -> list[Preview]:
    """Preview some domains, or all that are published. Raises what `preview` raises."""
    published = [domain for domain in domains() if settings.published(domain).exists()]
    return [preview(domain, settings) for domain in names or published]


def describe(found: list[Preview]) -> str:
    return "\n\n".join(["# What the change does to the data", *(each.markdown() for each in found)])


@contextmanager
def _own_folder(settings: Settings) -> Iterator[Path]:
    """Yield a folder that is removed afterwards; remove what a killed preview left there first."""
    folder = settings.data_dir / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / ".lock", WAIT_SECONDS), work_folder(folder / "work") as work:
            yield work
    except FileLockedError as error:
        raise PreviewError(f"another preview is running: {error}") from error


def _create_views(settings: Settings, built: Path) -> None:
    """Create a view of each of the warehouse's tables and views."""
    with duckdb.connect(str(built)) as connection:
        try:
            attach(connection, settings.warehouse, WAREHOUSE, "read_only")
        except duckdb.IOException as error:
            raise PreviewError(f"{settings.warehouse} cannot be read: {error}") from error
        left = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = ?"
            # The preview's own builds tell nothing of the warehouse.
            " and table_schema <> ?",
            [WAREHOUSE, STATE_SCHEMA],
        ).fetchall()
        for schema in {schema for schema, _ in left}:
            connection.execute(f"create schema if not exists {quoted(schema)}")
        # A view can be created once what it reads exists; a view of a removed table never.
        while left:
            failed = [each for each in left if not _create_view(connection, *each)]
            if len(failed) == len(left):
                break
            left = failed


def _create_view(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    relation = f"{quoted(schema)}.{quoted(name)}"
    try:
        connection.execute(f"create view {relation} as from {WAREHOUSE}.{relation}")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def _build(domain: str, settings: Settings, built: Path, state: Path) -> set[str]:
    """Build the models that differ from the state; return their names."""
    folder = built.parent
    profiles = yaml.safe_load((PROJECT_DIR / "profiles.yml").read_text())
    profile = profiles[DBT_PROFILE]["outputs"][settings.target]
    profile["path"] = str(built)
    profile["attach"] = [{"path": str(settings.warehouse), "alias": WAREHOUSE, "read_only": True}]
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
    select = [f"state:modified+,tag:{tag}" for tag in (domain, "shared")]
    run_dbt(
        ["build", "--select", *select, "--exclude-resource-type", "test", "unit_test", "--state", str(state)],
        settings,
        quiet=True,
        variables={
            "DBT_PROFILES_DIR": str(folder),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
        },
    )
    try:
        _, results = read_run_results(folder / "target")
    except FileNotFoundError:
        return set()
    return {result["unique_id"].split(".")[2] for result in results}


def _columns(domain: str, settings: Settings, version: str, folder: Path) -> tuple[ColumnChange, ...]:
    """Return the changed columns, by the lineage of the published version and that of the models that were built."""
    try:
        old, everything = published_lineage(domain, settings, version), all_published(settings)
    except LineageError as error:
        log.warning("Columns are not compared: %s", error)
        return ()
    manifests = [read_manifest(folder / name / "manifest.json") for name in ("state", "target")]
    new, problems = resolve_models(manifests[1], domain, manifests[1].adapter, old.tables)
    for problem in problems:
        log.warning("The lineage of %s", problem)
    types = (contract_types(manifests[0]), contract_types(manifests[1]))
    return changes(old, new, types, Lineage.merged([everything, old]))


def _marts(domain: str, manifest: Path) -> dict[str, Mart]:
    try:
        return marts_of(domain, manifest)
    except PublishError:  # the domain has no marts
        return {}
