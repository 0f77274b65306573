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

from ingestion.load import domains
from ingestion.on_disk import work_folder
from operations.dbt import run_dbt
from operations.files.locked import LockedError, locked
from operations.publishing.comparison import as_table
from operations.publishing.errors import PublishError
from operations.publishing.marts import SCHEMA, Mart, marts_of
from operations.publishing.profile import STAMPS, quoted
from operations.publishing.versions import WAIT_SECONDS, Versions, link_or_copy
from settings import PROJECT_DIR, Settings

EXAMPLES = 5
PROFILE = "sluice"
# Under which the others are looked at beside the database that is built; no environment has such a name.
WAREHOUSE, PUBLISHED = "_warehouse", "_published"


class CanaryError(RuntimeError):
    """The change could not be looked at; the message says why. Nothing was touched."""


@dataclass(frozen=True)
class Changed:
    """Rows that differ in a column, or of which only one side has the key.

    Attributes:
        what: the column; `rows that are gone` or `new rows`.
        rows: how many.
        examples: key, published value, value by the change; as texts.
    """

    what: str
    rows: int
    examples: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class TableChange:
    """What a change does to a mart.

    Attributes:
        table: which mart.
        rows: published, and by the change; None where the table is not there.
        columns: those that are gone, new or of another type, a sentence each.
        key: columns by which rows are compared; none if no test says what tells the rows apart.
        changed: what differs.
    """

    table: str
    rows: tuple[int | None, int | None]
    columns: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything differs at all."""
        return bool(self.columns or self.changed) or self.rows[0] != self.rows[1]

    def markdown(self) -> str:
        """All of it for people."""
        shown = ["none" if count is None else f"{count:,}" for count in self.rows]
        lines = [f"### {self.table}", "", f"Rows: {shown[0]} published, {shown[1]} with the change."]
        lines += [f"- {sentence}" for sentence in self.columns]
        if self.changed:
            by = f" by {', '.join(self.key)}" if self.key else ", which no key tells apart"
            lines += ["", f"Rows that differ{by}:", ""]
            lines += [
                as_table(["what", "rows"], [[each.what, f"{each.rows:,}"] for each in self.changed]),
                "",
            ]
            examples = [[each.what, *example] for each in self.changed for example in each.examples]
            lines += [as_table(["what", "row", "published", "with the change"], examples)]
        return "\n".join(lines)


@dataclass(frozen=True)
class Canary:
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


def canary(domain: str, settings: Settings) -> Canary:
    """Build what a change touches beside everything else, and compare its marts with the published ones.

    Args:
        domain: which domain; it has been published with dbt's manifest.
        settings: which data folder and environment.

    Raises:
        CanaryError: nothing to compare with is published, or another canary is at work.
        DbtError: a model cannot be built.
    """
    versions = Versions(domain, settings)
    used = versions.in_use()
    if used is None or not versions.manifest(used.name).exists():
        raise CanaryError(f"{domain} has no published version with dbt's manifest; publish it first")
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
            tables = [_compare(connection, mart) for name, mart in marts.items() if name in models]
            tables += [
                TableChange(name, (_count(connection, PUBLISHED, name), None))
                for name in before
                if name not in marts
            ]
    return Canary(domain, used.name, tuple(sorted(models)), tuple(tables))


def canaries(named: Sequence[str], settings: Settings) -> list[Canary]:
    """The canaries of some domains, or of all that are published. Raises what `canary` raises."""
    published = [domain for domain in domains() if settings.published(domain).exists()]
    return [canary(domain, settings) for domain in named or published]


def describe(found: list[Canary]) -> str:
    """What a reviewer reads."""
    return "\n\n".join(["# What the change does to the data", *(each.markdown() for each in found)])


@contextmanager
def _own_folder(settings: Settings) -> Iterator[Path]:
    """A folder that is gone afterwards; what a killed canary left there goes first."""
    folder = settings.data_dir / "canary"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder / ".lock", WAIT_SECONDS), work_folder(folder / "work") as work:
            yield work
    except LockedError as error:
        raise CanaryError(f"another canary is at work: {error}") from error


def _stand_in(settings: Settings, built: Path) -> None:
    """Make a view of each of the warehouse's tables and views."""
    with duckdb.connect(str(built)) as connection:
        try:
            _attach(connection, settings.warehouse, WAREHOUSE)
        except duckdb.IOException as error:
            raise CanaryError(f"{settings.warehouse} cannot be read now: {error}") from error
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
    profile = profiles[PROFILE]["outputs"][settings.target]
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


def _count(connection: duckdb.DuckDBPyConnection, database: str | None, table: str) -> int | None:
    if not _columns(connection, database, table):
        return None
    return connection.execute(f"select count(*) from {_relation(database, table)}").fetchone()[0]


def _relation(database: str | None, table: str) -> str:
    return ".".join(map(quoted, filter(None, (database, SCHEMA, table))))


def _compare(connection: duckdb.DuckDBPyConnection, mart: Mart) -> TableChange:
    rows = (_count(connection, PUBLISHED, mart.name), _count(connection, None, mart.name))
    if rows[0] is None:
        return TableChange(mart.name, rows)
    old, new = (_columns(connection, database, mart.name) for database in (PUBLISHED, None))
    columns = [f"`{name}` is gone" for name in old if name not in new]
    columns += [f"`{name}` is new, {kind}" for name, kind in new.items() if name not in old]
    columns += [
        f"`{name}` was {old[name]} and is {kind}"
        for name, kind in new.items()
        if name in old and old[name] != kind
    ]
    both = [name for name in new if name in old and name not in STAMPS]
    key = tuple(name for name in mart.key if name in both) if set(mart.key) <= set(both) else ()
    if key and all(_is_key(connection, database, mart.name, key) for database in (PUBLISHED, None)):
        changed = _by_key(connection, mart.name, key, [name for name in both if name not in key])
    else:
        key, changed = (), _by_row(connection, mart.name, both)
    return TableChange(mart.name, rows, tuple(columns), key, tuple(each for each in changed if each.rows))


def _columns(connection: duckdb.DuckDBPyConnection, database: str | None, table: str) -> dict[str, str]:
    found = connection.execute(
        "select column_name, data_type from duckdb_columns()"
        " where database_name = coalesce(?, current_database()) and schema_name = ? and table_name = ? order by column_index",
        [database, SCHEMA, table],
    )
    return dict(found.fetchall())


def _is_key(
    connection: duckdb.DuckDBPyConnection, database: str | None, table: str, key: tuple[str, ...]
) -> bool:
    columns = ", ".join(map(quoted, key))
    query = f"select 1 from {_relation(database, table)} group by {columns} having count(*) > 1 limit 1"
    return connection.execute(query).fetchone() is None


def _by_key(
    connection: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...], columns: list[str]
) -> Iterator[Changed]:
    same_key = " and ".join(f"old.{quoted(name)} is not distinct from new.{quoted(name)}" for name in key)
    sides = [f"{_relation(database, table)}" for database in (PUBLISHED, None)]
    for what, side, other, values in (
        ("rows that are gone", "old", "new", "'there', ''"),
        ("new rows", "new", "old", "'', 'there'"),
    ):
        one, two = sides if side == "old" else reversed(sides)
        rows = f"from {one} as {side} anti join {two} as {other} on {same_key}"
        yield _changed(connection, what, rows, _shown(side, key), values)
    joined = f"from {sides[0]} as old inner join {sides[1]} as new on {same_key}"
    differ = {name: f"old.{quoted(name)} is distinct from new.{quoted(name)}" for name in columns}
    # All columns in one join.
    counts = [f"count(*) filter ({condition})" for condition in differ.values()]
    found = connection.execute(f"select {', '.join(counts)} {joined}").fetchone() if counts else ()
    for name, count in zip(columns, found, strict=True):
        values = ", ".join(_text(f"{side}.{quoted(name)}") for side in ("old", "new"))
        yield _changed(connection, name, f"{joined} where {differ[name]}", _shown("old", key), values, count)


def _by_row(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> Iterator[Changed]:
    """Whole rows that only one side has, for want of a key."""
    listed = ", ".join(map(quoted, columns))
    old, new = (f"select {listed} from {_relation(database, table)}" for database in (PUBLISHED, None))
    for what, rows, values in (
        ("rows that are gone", f"from ({old} except all {new}) as one", "'there', ''"),
        ("new rows", f"from ({new} except all {old}) as one", "'', 'there'"),
    ):
        yield _changed(connection, what, rows, _shown("one", columns), values)


def _changed(
    connection: duckdb.DuckDBPyConnection,
    what: str,
    rows: str,
    row: str,
    values: str,
    count: int | None = None,
) -> Changed:
    """Count the rows, unless that is done, and show some."""
    if count is None:
        (count,) = connection.execute(f"select count(*) {rows}").fetchone()
    examples = []
    if count:
        query = f"select {row}, {values} {rows} order by 1 limit {EXAMPLES}"
        examples = [tuple(map(str, example)) for example in connection.execute(query).fetchall()]
    return Changed(what, count, tuple(examples))


def _shown(side: str, columns: tuple[str, ...] | list[str]) -> str:
    return "concat_ws(', ', " + ", ".join(_text(f"{side}.{quoted(name)}") for name in columns) + ")"


def _text(column: str) -> str:
    return f"coalesce(cast({column} as text), 'null')"
