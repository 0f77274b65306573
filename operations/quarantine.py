"""The working list of a domain: rows in quarantine and rejected lines, to be corrected and delivered again."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

import settings as settings_module
from ingestion.load import entities_of, feeds_of
from ingestion.warehouse import reading, table_columns
from operations.files.whole_file import whole_file
from settings import Settings


class QuarantineError(RuntimeError):
    """The list could not be read or exported; a file of an earlier export is as it was."""


@dataclass(frozen=True)
class ReasonCount:
    """Rows of an entity that break one rule, or its rejected lines of one reason."""

    entity: str
    reason: str
    count: int


@dataclass(frozen=True)
class FileCount:
    """What one input file has on the list."""

    entity: str
    source_file: str
    rows: int
    rejected_lines: int


@dataclass(frozen=True)
class WorkingList:
    """What is on the list.

    Attributes:
        domain: whose list it is.
        rows: rows in quarantine.
        rejected_lines: lines that could not be split into columns.
        by_reason: most frequent first; a row that breaks several rules counts for each.
        by_file: every input file that has something on the list.
        export: the file to which the list was written, if any.
    """

    domain: str
    rows: int
    rejected_lines: int
    by_reason: tuple[ReasonCount, ...]
    by_file: tuple[FileCount, ...]
    export: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self) | {"export": str(self.export) if self.export else None}


def quarantine(domain: str, settings: Settings | None = None, *, export: Path | None = None) -> WorkingList:
    """Count what waits for correction in a domain, and write it to a CSV file if one is named.

    On the list is every row that the last build put into quarantine, and every rejected line of a file's
    last delivery, if no row delivered since replaces it.

    The CSV file has the columns `_entity`, `_row_id`, `_source_file`, `_line_number` (rejected lines
    only, 1 = header), `_source_row` (rows only: position among the loaded records), `_reasons` (comma
    separated) and `_rejected_line` (the line itself), then the delivered columns of all entities.
    A row's values are as delivered, text for text; `""` stands for an empty text and no text at all for
    null. An empty list gives a file with a header only.

    Args:
        domain: one of the domains of `ingestion.sources`.
        settings: defaults to those of the environment.
        export: the CSV file, written whole or not at all.

    Raises:
        UnknownDomainError: there is no such domain.
        QuarantineError: the domain has not been built, or the file cannot be written.
        WarehouseBusyError: another process kept the warehouse.
    """
    entities = entities_of(domain)
    settings = settings or settings_module.load()
    if not settings.warehouse.exists():
        raise _not_built(domain)
    with reading(settings) as warehouse:
        try:
            warehouse.execute(
                f"create temp view working_list as {_working_list(warehouse, domain, entities)}"
            )
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise _not_built(domain) from error
        if export:
            _export(warehouse, export)
        rows, rejected_lines = warehouse.execute(
            "select count(*) filter (not is_line), count(*) filter (is_line) from working_list"
        ).fetchone()
        return WorkingList(
            domain,
            rows,
            rejected_lines,
            by_reason=tuple(ReasonCount(*found) for found in warehouse.execute(_BY_REASON).fetchall()),
            by_file=tuple(FileCount(*found) for found in warehouse.execute(_BY_FILE).fetchall()),
            export=export,
        )


_BY_REASON = """
    select _entity, reason, count(*)
    from (
        select _entity, unnest(if(is_line, [_reasons], string_split(_reasons, ','))) as reason
        from working_list
    )
    group by all order by count(*) desc, _entity, reason
"""
_BY_FILE = """
    select _entity, _source_file, count(*) filter (not is_line), count(*) filter (is_line)
    from working_list group by all order by _entity, _source_file
"""


def describe(found: WorkingList, settings: Settings) -> str:
    """The list's numbers as lines for a person, and what to do with an exported file."""
    if not found.by_file:
        exported = f"\n{found.export} has a header only" if found.export else ""
        return f"{found.domain}: no row is in quarantine and no line is rejected{exported}"
    lines = [
        f"{found.domain}: {found.rows:,} rows in quarantine, {found.rejected_lines:,} rejected lines",
        "",
    ]
    lines += [f"  {each.count:>10,}  {each.entity}: {each.reason}" for each in found.by_reason]
    lines += ["", f"  {'rows':>10}  {'lines':>10}  file"]
    lines += [
        f"  {each.rows:>10,}  {each.rejected_lines:>10,}  {each.entity}: {each.source_file}"
        for each in found.by_file
    ]
    if found.export:
        entity = found.by_file[0].entity
        lines += ["", f"written to {found.export}"]
    if found.export and any(feed.partition for feed in feeds_of(found.domain)):
        lines += ["To correct a row, deliver the whole file of its month again; it replaces the month."]
    elif found.export:
        lines += [
            "Correct it, delete the lines that you leave for later, keep _entity and _row_id, and put it into",
            f"{settings.landing(found.domain)} as corrections_….csv, or with the lines of one entity only",
            f"under a new name of that entity's, such as {entity}_….csv. Each of its lines replaces the row or",
            "rejected line whose _row_id it has.",
        ]
    return "\n".join(lines)


def _not_built(domain: str) -> QuarantineError:
    return QuarantineError(f"{domain} has not been built; run `python -m operations elt {domain}` first")


def _working_list(warehouse: duckdb.DuckDBPyConnection, domain: str, entities: Sequence[str]) -> str:
    """The query of the list: the columns of the CSV file, and `is_line`."""
    raw = f"raw_{domain}"
    rows = [
        f"""
        select
            false as is_line, '{entity}' as _entity, delivered._row_id, delivered._source_file,
            null::bigint as _line_number, delivered._source_row, quarantined.broken_rules as _reasons,
            null::text as _rejected_line
            {"".join(f', delivered."{name}"' for name in _delivered_columns(warehouse, raw, entity))}
        from {raw}.{entity} as delivered
        inner join clean.quarantine_{domain}__{entity} as quarantined using (_row_id)
        anti join {raw}.{entity} as correction on correction._replaces_row_id = delivered._row_id
        """
        for entity in entities
    ]
    # Nobody knows for sure of which entity a rejected line is, so a correction of any entity will do.
    corrections = " union all ".join(f"select _replaces_row_id from {raw}.{entity}" for entity in entities)
    lines = f"""
        select
            true as is_line, entity as _entity, _row_id, source_file as _source_file,
            line_number as _line_number, null::bigint as _source_row, reason as _reasons,
            line as _rejected_line
        from {raw}.rejected_lines as rejected
        semi join (
            select entity, source_file, max(_dlt_load_id) as _dlt_load_id
            from {raw}.input_files where status = 'loaded' group by all
        ) as last_delivery
            using (entity, source_file, _dlt_load_id)
        anti join ({corrections}) as correction on correction._replaces_row_id = rejected._row_id
    """
    return " union all by name ".join([*rows, lines])


def _delivered_columns(warehouse: duckdb.DuckDBPyConnection, schema: str, entity: str) -> list[str]:
    return [name for name in table_columns(warehouse, schema, entity) if not name.startswith("_")]


def _export(warehouse: duckdb.DuckDBPyConnection, target: Path) -> None:
    ordered = warehouse.sql(
        "select * exclude (is_line) from working_list order by _entity, _source_file, _line_number, _source_row"
    )
    try:
        with whole_file(target) as candidate:
            ordered.write_csv(str(candidate), header=True, use_tmp_file=False)
    except (OSError, duckdb.Error) as error:
        raise QuarantineError(f"{target} could not be written: {error}") from error
