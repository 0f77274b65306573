"""Lists and exports the rows in quarantine and the rejected lines of a domain, to be corrected and delivered again."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

import settings as settings_module
from common.atomic_write import atomic_write
from ingestion.files.file_resource import EXPORT_COLUMNS, FileResource
from ingestion.registry import entities_of, resources_of
from settings import Settings
from transformation.manifest import quarantine_model
from warehouse import Warehouse, WarehouseError, quoted, read_connection, warehouse_exists


class QuarantineError(RuntimeError):
    """The quarantine could not be read or exported; an earlier export is as it was."""


@dataclass(frozen=True)
class ReasonCount:
    """Rows of an entity that fail one rule, or its lines that were rejected for one reason."""

    entity: str
    reason: str
    count: int


@dataclass(frozen=True)
class FileCount:
    """Rows in quarantine and rejected lines of one input file."""

    entity: str
    source_file: str
    rows: int
    rejected_lines: int


@dataclass(frozen=True)
class QuarantineReport:
    """What is in quarantine."""

    domain: str
    rows: int
    rejected_lines: int  # lines that could not be split into columns
    by_reason: tuple[ReasonCount, ...]  # most frequent first; a row counts for each rule that it fails
    by_file: tuple[FileCount, ...]  # without files that have nothing in quarantine
    export: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"export": str(self.export) if self.export else None}


def quarantine(
    domain: str, settings: Settings | None = None, *, export: Path | None = None
) -> QuarantineReport:
    """Count what is in quarantine in a domain, and export it to a CSV file if one is named.

    This is every row that the last build put into quarantine, and every rejected line of a file's last delivery,
    unless a row that was delivered since replaces it.

    The CSV file has the columns `_entity`, `_row_id`, `_source_file`, `_line_number` (of a rejected line, 1 = header; of
    a rejected row its position among the rows), `_source_row` (of a row: its position among the loaded records),
    `_reasons` (comma separated) and `_rejected_line` (the line itself), then the delivered columns of all entities. A
    row's values are as delivered; `""` is an empty text, and nothing is null. If nothing is in quarantine, the
    file has only a header.

    Args:
        domain: one of the domains of `ingestion.sources`.
        settings: those of the environment by default.
        export: the CSV file, written whole or not at all.

    Raises:
        UnknownDomainError: there is no such domain.
        QuarantineError: the domain has not been built, or the file cannot be written.
        WarehouseBusyError: another process kept the warehouse.
    """
    entities = entities_of(domain)
    settings = settings or settings_module.load()
    if not warehouse_exists(settings):
        raise _not_built(domain)
    with read_connection(settings) as warehouse:
        columns = _delivered_columns(warehouse, domain, entities)
        built = [
            warehouse.columns("clean", quarantine_model(domain, entity)) and columns[entity]
            for entity in entities
        ]
        if not all(built) or not warehouse.columns(f"raw_{domain}", "rejected_lines"):
            raise _not_built(domain)
        listed = _query(domain, columns)
        if export:
            _export(warehouse, listed, columns, export)
        counts = warehouse.execute(
            f"select is_line, _entity, _source_file, _reasons, count(*) from ({listed}) as listed group by 1, 2, 3, 4"
        ).fetchall()
    return _counted(domain, counts, export)


def _counted(
    domain: str, counts: Sequence[tuple[bool, str, str, str, int]], export: Path | None
) -> QuarantineReport:
    """Sum up rows that have an entity, a file and reasons in common."""
    by_reason: Counter[tuple[str, str]] = Counter()
    by_file: dict[tuple[str, str], Counter[bool]] = {}
    for is_line, entity, source_file, reasons, count in counts:
        # The reason of a rejected line is a sentence, which may contain a comma.
        for reason in [reasons] if is_line else reasons.split(","):
            by_reason[entity, reason] += count
        by_file.setdefault((entity, source_file), Counter())[is_line] += count
    return QuarantineReport(
        domain,
        rows=sum(found[False] for found in by_file.values()),
        rejected_lines=sum(found[True] for found in by_file.values()),
        by_reason=tuple(
            ReasonCount(*key, count)
            for key, count in sorted(by_reason.items(), key=lambda found: (-found[1], found[0]))
        ),
        by_file=tuple(FileCount(*key, found[False], found[True]) for key, found in sorted(by_file.items())),
        export=export,
    )


def describe(found: QuarantineReport, settings: Settings) -> str:
    """Describe the report, and what to do with an exported file."""
    if not found.by_file:
        exported = f"\n{found.export} has only a header" if found.export else ""
        return f"{found.domain}: no rows in quarantine, no rejected lines{exported}"
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
    resources = resources_of(found.domain)
    if found.export and any(isinstance(each, FileResource) and each.partition for each in resources):
        lines += ["To correct a row, deliver the whole file of its month again; it replaces the month."]
    elif found.export:
        lines += [
            "Correct the rows, delete those that are not corrected yet, and keep _entity and _row_id. Put the file into",
            f"{settings.landing(found.domain)} as corrections_….csv or, with the rows of one entity only, under a new",
            f"name for that entity, such as {entity}_….csv. Each row replaces the one with the same _row_id.",
        ]
    return "\n".join(lines)


def _not_built(domain: str) -> QuarantineError:
    return QuarantineError(f"{domain} has not been built; run `sluice run {domain}` first")


def _query(domain: str, columns: Mapping[str, Sequence[str]]) -> str:
    """Return the query of `is_line` and the columns of the CSV file; `columns` are the delivered ones by entity."""
    raw = f"raw_{domain}"
    delivered = list(dict.fromkeys(name for names in columns.values() for name in names))
    rows = [
        f"""
        select
            false as is_line, '{entity}' as _entity, delivered._row_id, delivered._source_file,
            cast(null as bigint) as _line_number, delivered._source_row, quarantined._failed_rules as _reasons,
            cast(null as text) as _rejected_line
            {"".join(f", {_value(name, names)}" for name in delivered)}
        from {raw}.{entity} as delivered
        inner join clean.{quarantine_model(domain, entity)} as quarantined on quarantined._row_id = delivered._row_id
        where not exists (
            select 1 from {raw}.{entity} as correction
            where
                correction._corrects_row_id = delivered._row_id
                -- Not a version that an API gave after the correction.
                and not (
                    delivered._source_file like '%.api' and correction._dlt_load_id < delivered._dlt_load_id
                )
        )
        """
        for entity, names in columns.items()
    ]
    # The entity of a rejected line is a guess, so a row of any entity may correct it.
    corrections = " union all ".join(f"select _corrects_row_id from {raw}.{entity}" for entity in columns)
    lines = f"""
        select
            true as is_line, rejected.entity as _entity, rejected._row_id, rejected.source_file as _source_file,
            rejected.line_number as _line_number, cast(null as bigint) as _source_row,
            rejected.reason as _reasons, rejected.line as _rejected_line
            {"".join(f", {_value(name, ())}" for name in delivered)}
        from {raw}.rejected_lines as rejected
        inner join (
            select entity, source_file, max(_dlt_load_id) as _dlt_load_id
            from {raw}.file_loads where status = 'loaded' group by 1, 2
        ) as last_delivery
            on
                last_delivery.entity = rejected.entity and last_delivery.source_file = rejected.source_file
                and last_delivery._dlt_load_id = rejected._dlt_load_id
        -- Of a row that is loaded, values of undeclared columns stand for no record.
        where rejected.line_count > 0 and not exists (
            select 1 from ({corrections}) as correction where correction._corrects_row_id = rejected._row_id
        )
    """
    return " union all ".join([*rows, lines])


def _value(name: str, there: Collection[str]) -> str:
    """Return SQL for a delivered column, null for an entity that does not have it."""
    return f'delivered."{name}"' if name in there else f'cast(null as text) as "{name}"'


def _delivered_columns(warehouse: Warehouse, domain: str, entities: Sequence[str]) -> dict[str, list[str]]:
    found = {entity: warehouse.columns(f"raw_{domain}", entity) for entity in entities}
    return {entity: [name for name in names if not name.startswith("_")] for entity, names in found.items()}


def _export(warehouse: Warehouse, listed: str, columns: Mapping[str, Sequence[str]], target: Path) -> None:
    names = [*EXPORT_COLUMNS, *dict.fromkeys(name for of_entity in columns.values() for name in of_entity)]
    query = (
        f"select {', '.join(map(quoted, names))} from ({listed}) as listed"
        " order by _entity, _source_file, _line_number nulls last, _source_row nulls last"
    )
    try:
        with atomic_write(target) as candidate:
            warehouse.write_csv(query, candidate)
    except (OSError, duckdb.Error, WarehouseError) as error:
        raise QuarantineError(f"{target} could not be written: {error}") from error
