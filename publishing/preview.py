"""What a change of the models does to the data, before it is merged.

The models that differ from those of the published version, and all that depend on them, are built into a
database of their own. It has the warehouse's name, which dbt would take for a change otherwise, and for each of
the warehouse's tables a view, which stands in for what is not built; the warehouse itself is opened for reading
only. Then the marts that were built are compared with the published ones, row by row.
"""

import json
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
from publishing.errors import PublishError
from publishing.marts import Mart, marts_of
from publishing.table_changes import TableChange, compare_tables, count
from publishing.versions import Versions, link_or_copy
from settings import DBT_PROFILE, PROJECT_DIR, Settings
from transformation.dbt import run_dbt
from warehouse import WAIT_SECONDS, quoted

# Under which the others are looked at beside the database that is built; no environment has such a name.
WAREHOUSE, PUBLISHED = "_warehouse", "_published"


class PreviewError(RuntimeError):
    """The change could not be looked at; the message says why. Nothing was touched."""


@dataclass(frozen=True)
class Preview:
    """What a change does to a domain: `built` are the models it touches, `tables` the marts among them."""

    domain: str
    version: str
    built: tuple[str, ...]
    tables: tuple[TableChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self)

    def markdown(self) -> str:
        """All of it for people."""
        title = f"## {self.domain}\n\nCompared with {self.version}. "
        differing = [table for table in self.tables if table.differs]
        if not self.built and not differing:
            return f"{title}The change touches no model."
        title += f"The change touches {', '.join(self.built) or 'no model that is there still'}."
        same = [table.table for table in self.tables if not table.differs]
        if same:
            title += f"\n\nThe same as published: {', '.join(same)}."
        return "\n\n".join([title, *(table.markdown() for table in differing)])


def preview(domain: str, settings: Settings) -> Preview:
    """Build what a change touches beside everything else, and compare its marts with the published ones.

    Args:
        domain: which domain; it has been published with dbt's manifest.
        settings: which data folder and environment.

    Raises:
        PreviewError: nothing to compare with is published, or another preview is at work.
        DbtError: a model cannot be built.
    """
    if settings.target != "duckdb":
        raise PreviewError(
            f"preview compares DuckDB files, and the target is {settings.target}: use the target duckdb"
        )
    versions = Versions(domain, settings)
    used = versions.in_use()
    if used is None or not versions.manifest(used.name).exists():
        raise PreviewError(f"{domain} has no published version with dbt's manifest; publish it first")
    with _own_folder(settings) as folder:
        state = folder / "state"
        state.mkdir()
        link_or_copy(versions.manifest(used.name), state / "manifest.json")
        # As the version is pruned meanwhile, its file stays.
        published = folder / "published.duckdb"
        link_or_copy(versions.file(used.name), published)
        built = folder / f"{settings.env}.duckdb"
        _stand_in(settings, built)
        models = _build(domain, settings, built, state)
        marts = _marts(domain, folder / "target" / "manifest.json")
        before = _marts(domain, state / "manifest.json")
        with duckdb.connect(str(built), config={"memory_limit": settings.memory_limit}) as connection:
            _attach(connection, settings.warehouse, WAREHOUSE)
            _attach(connection, published, PUBLISHED)
            tables = [
                compare_tables(connection, mart, PUBLISHED, None)
                for name, mart in marts.items()
                if name in models
            ]
            tables += [
                TableChange(name, (count(connection, PUBLISHED, name), None))
                for name in before
                if name not in marts
            ]
    return Preview(domain, used.name, tuple(sorted(models)), tuple(tables))


def previews(named: Sequence[str], settings: Settings) -> list[Preview]:
    """The previews of some domains, or of all that are published. Raises what `preview` raises."""
    published = [domain for domain in domains() if settings.published(domain).exists()]
    return [preview(domain, settings) for domain in named or published]


def describe(found: list[Preview]) -> str:
    """What a reviewer reads."""
    return "\n\n".join(["# What the change does to the data", *(each.markdown() for each in found)])


@contextmanager
def _own_folder(settings: Settings) -> Iterator[Path]:
    """A folder that is gone afterwards; what a killed preview left there goes first."""
    folder = settings.data_dir / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file_lock(folder / ".lock", WAIT_SECONDS), work_folder(folder / "work") as work:
            yield work
    except FileLockedError as error:
        raise PreviewError(f"another preview is at work: {error}") from error


def _stand_in(settings: Settings, built: Path) -> None:
    """Make a view of each of the warehouse's tables and views."""
    with duckdb.connect(str(built)) as connection:
        try:
            _attach(connection, settings.warehouse, WAREHOUSE)
        except duckdb.IOException as error:
            raise PreviewError(f"{settings.warehouse} cannot be read now: {error}") from error
        left = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = ?",
            [WAREHOUSE],
        ).fetchall()
        for schema in {schema for schema, _ in left}:
            connection.execute(f"create schema if not exists {quoted(schema)}")
        # A view of a view comes after what that one reads; one that reads what is gone comes never.
        while left:
            waiting = [each for each in left if not _view(connection, *each)]
            if len(waiting) == len(left):
                break
            left = waiting


def _view(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> bool:
    relation = f"{quoted(schema)}.{quoted(name)}"
    try:
        connection.execute(f"create view {relation} as from {WAREHOUSE}.{relation}")
    except (duckdb.CatalogException, duckdb.BinderException):
        return False
    return True


def _build(domain: str, settings: Settings, built: Path, state: Path) -> set[str]:
    """Build what differs from the state; return the names of the models."""
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
    results = folder / "target" / "run_results.json"
    if not results.exists():
        return set()
    return {result["unique_id"].split(".")[2] for result in json.loads(results.read_text())["results"]}


def _marts(domain: str, manifest: Path) -> dict[str, Mart]:
    try:
        return marts_of(domain, manifest)
    except PublishError:  # all of them are gone
        return {}


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    text = str(path).replace("'", "''")
    connection.execute(f"attach '{text}' as {quoted(name)} (read_only)")
