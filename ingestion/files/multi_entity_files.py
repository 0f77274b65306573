"""Files with lines of several entities: each line is loaded for exactly one of them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from ingestion.files.file_resource import FileResource, is_corrections
from ingestion.formats import ParsedFile, UnreadableFileError
from warehouse.sql import in_memory_duckdb


def take_own_lines(
    parsed: ParsedFile, name: str, resource: FileResource, siblings: Sequence[FileResource], *, parquet: Path
) -> ParsedFile:
    """Keep the rows whose `_entity` is the resource's, with their `_source_row` and `_row_id`.

    Lines that cannot be split name no entity. Those of corrections count for the domain's first
    resource, those of another file for the resource whose file it is.

    Args:
        parsed: all lines of the file, with the column `_entity`.
        name: the file's name.
        resource: the resource whose rows to keep.
        siblings: all file resources of the domain.
        parquet: the file to write, with the same columns but `_entity`.

    Raises:
        UnreadableFileError: a line names an entity that does not belong into a file of this name.
    """
    corrections = is_corrections(name)
    expected = [each.entity for each in siblings] if corrections else [resource.entity]
    with in_memory_duckdb(parquet.parent) as connection:
        source = connection.read_parquet(str(parsed.parquet))
        counts = dict(source.aggregate("_entity, count(*)").fetchall())
        unexpected = sorted(entity or "(empty)" for entity in counts if entity not in expected)
        if unexpected and corrections:
            raise UnreadableFileError(
                f"the _entity of some lines is {', '.join(unexpected)[:200]}; there are: {', '.join(expected)}"
            )
        if unexpected:
            raise UnreadableFileError(
                f"it has lines whose _entity is {', '.join(unexpected)[:200]}, not {resource.entity}; "
                "deliver it as corrections*.csv"
            )
        own = source.filter(duckdb.ColumnExpression("_entity") == duckdb.ConstantExpression(resource.entity))
        own.project("* exclude (_entity)").write_parquet(str(parquet))
    return replace(
        parsed,
        parquet=parquet,
        rows=counts.get(resource.entity, 0),
        rejected=parsed.rejected if not corrections or resource == siblings[0] else [],
    )
